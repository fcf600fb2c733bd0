using System.Formats.Tar;
using System.Globalization;
using System.Text;
using Llava.Contracts.States;
using Llava.Hosting.Paths;
using Llava.Ledger.Jobs;
using Llava.Ledger.Results;
using Llava.ModelCore.Imaging;

namespace Llava.Cli.Output;

/// <summary>
/// A WebDataset archive for training: of each item that was answered its images, the answer as <c>.txt</c> and the result as
/// <c>.json</c>, under the item's number.
/// </summary>
internal sealed class WebDatasetResults(Stream output, JobRecord job) : IResultWriter
{
    private readonly TarWriter _archive = new(output, TarEntryFormat.Ustar, leaveOpen: true);

    public async Task WriteAsync(ItemResult result, CancellationToken cancellationToken)
    {
        if (result.Result.Outcome != ItemOutcome.Succeeded)
        {
            return;
        }

        var key = result.ItemNo.ToString("D9", CultureInfo.InvariantCulture);
        for (var i = 0; i < result.Images.Count; i++)
        {
            var image = await ImageLocation.Parse(result.Images[i]).ReadAsync(cancellationToken);
            await AddAsync($"{key}{(result.Images.Count > 1 ? $".{i}" : "")}{ImageSuffix.Of(image)}", image, result, cancellationToken);
        }

        await AddAsync($"{key}.txt", Encoding.UTF8.GetBytes(result.Result.Text!), result, cancellationToken);
        await AddAsync($"{key}.json", Encoding.UTF8.GetBytes(JsonText.Of(json => JsonLinesResults.Write(json, job, result))), result, cancellationToken);
    }

    public ValueTask DisposeAsync() => _archive.DisposeAsync();

    private Task AddAsync(string name, byte[] content, ItemResult result, CancellationToken cancellationToken) => _archive.WriteEntryAsync(
        new UstarTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content), ModificationTime = result.FinishedAt }, cancellationToken);
}
