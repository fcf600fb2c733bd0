using System.Globalization;
using CsvHelper;
using Llava.Ledger.Jobs;
using Llava.Ledger.Results;

namespace Llava.Cli.Output;

/// <summary>Comma-separated values: custom_id, image, prompt, text, finish_reason, error_code, error_message.</summary>
internal sealed class CsvResults : IResultWriter
{
    private static readonly string[] Header = ["custom_id", "image", "prompt", "text", "finish_reason", "error_code", "error_message"];

    private readonly CsvWriter _csv;
    private readonly JobRecord _job;
    private bool _hasHeader;

    /// <param name="output">Where to; closed with this.</param>
    /// <param name="job">The job.</param>
    /// <param name="hasHeader">Whether the header is there already.</param>
    public CsvResults(TextWriter output, JobRecord job, bool hasHeader)
    {
        // A text that begins with = or @ is a formula to a spreadsheet: escaped, not executed.
        var configuration = new CsvHelper.Configuration.CsvConfiguration(CultureInfo.InvariantCulture) { InjectionOptions = CsvHelper.Configuration.InjectionOptions.Escape };
        _csv = new CsvWriter(output, configuration);
        (_job, _hasHeader) = (job, hasHeader);
    }

    public async Task WriteAsync(ItemResult result, CancellationToken cancellationToken)
    {
        if (!_hasHeader)
        {
            await WriteRowAsync(Header);
            _hasHeader = true;
        }

        cancellationToken.ThrowIfCancellationRequested();
        await WriteRowAsync([
            result.CustomId, string.Join(';', result.Images), _job.Asked(result), result.Result.Text, result.Result.FinishReason,
            result.Result.Failure?.Code, result.Result.Failure?.Message]);
    }

    public ValueTask DisposeAsync() => _csv.DisposeAsync();

    private async Task WriteRowAsync(IEnumerable<string?> fields)
    {
        foreach (var field in fields)
        {
            _csv.WriteField(field);
        }

        await _csv.NextRecordAsync();
    }
}
