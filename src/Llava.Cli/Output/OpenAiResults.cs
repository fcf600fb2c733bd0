using System.Buffers;
using System.Text;
using Llava.Ledger.Batches;
using Llava.Ledger.Jobs;
using Llava.Ledger.Results;

namespace Llava.Cli.Output;

/// <summary>OpenAI's batch output file, or its error file.</summary>
internal sealed class OpenAiResults(TextWriter output, JobRecord job, bool isErrors) : IResultWriter
{
    private readonly ArrayBufferWriter<byte> _line = new();

    public async Task WriteAsync(ItemResult result, CancellationToken cancellationToken)
    {
        if (isErrors == BatchLine.IsError(result))
        {
            _line.ResetWrittenCount();
            BatchLine.Write(_line, job, result);
            await output.WriteAsync(Encoding.UTF8.GetString(_line.WrittenSpan).AsMemory(), cancellationToken);
        }
    }

    public ValueTask DisposeAsync() => output.DisposeAsync();
}
