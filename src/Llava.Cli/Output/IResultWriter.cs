using Llava.Ledger.Results;

namespace Llava.Cli.Output;

/// <summary>Writes results one by one, in item order.</summary>
internal interface IResultWriter : IAsyncDisposable
{
    Task WriteAsync(ItemResult result, CancellationToken cancellationToken);
}
