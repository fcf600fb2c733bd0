using Llava.Contracts.States;
using Llava.Ledger.Jobs;
using Llava.Ledger.Results;
using Parquet;
using Parquet.Schema;

namespace Llava.Cli.Output;

/// <summary>A Parquet file, a row group for every 8192 results; several images are separated by semicolons.</summary>
internal sealed class ParquetResults(Stream output, JobRecord job) : IResultWriter
{
    private const int GroupRows = 8192;

    private static readonly DataField ItemNo = new DataField<int>("item_no");
    private static readonly DataField PromptTokens = new DataField<int>("prompt_tokens");
    private static readonly DataField CompletionTokens = new DataField<int>("completion_tokens");
    private static readonly DataField Confidence = new DataField<double?>("confidence");

    private readonly (DataField Field, Func<ItemResult, string?> Value)[] _texts =
    [
        (new DataField<string>("custom_id"), result => result.CustomId),
        (new DataField<string>("images"), result => string.Join(';', result.Images)),
        (new DataField<string>("prompt"), job.Asked),
        (new DataField<string>("category"), result => result.Category),
        (new DataField<string>("outcome"), result => result.Result.Outcome.WireName()),
        (new DataField<string>("text"), result => result.Result.Text),
        (new DataField<string>("finish_reason"), result => result.Result.FinishReason),
        (new DataField<string>("error_code"), result => result.Result.Failure?.Code),
        (new DataField<string>("error_message"), result => result.Result.Failure?.Message),
        (new DataField<string>("model"), job.ModelName),
    ];

    private readonly List<ItemResult> _rows = [];
    private ParquetWriter? _writer;

    public async Task WriteAsync(ItemResult result, CancellationToken cancellationToken)
    {
        _rows.Add(result);
        if (_rows.Count == GroupRows)
        {
            await WriteGroupAsync(cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_rows.Count > 0 || _writer is null)
        {
            await WriteGroupAsync(CancellationToken.None);
        }

        await _writer!.DisposeAsync();
    }

    private async Task WriteGroupAsync(CancellationToken cancellationToken)
    {
        _writer ??= await ParquetWriter.CreateAsync(
            new ParquetSchema([ItemNo, .. _texts.Select(text => text.Field), PromptTokens, CompletionTokens, Confidence]), output, cancellationToken: cancellationToken);
        using (var group = _writer.CreateRowGroup())
        {
            await group.WriteAsync<int>(ItemNo, _rows.ConvertAll(row => row.ItemNo).ToArray(), cancellationToken: cancellationToken);
            foreach (var (field, value) in _texts)
            {
                await group.WriteAsync(field, _rows.ConvertAll(row => value(row)!));
            }

            await group.WriteAsync<int>(PromptTokens, _rows.ConvertAll(row => row.Result.Usage.PromptTokens).ToArray(), cancellationToken: cancellationToken);
            await group.WriteAsync<int>(CompletionTokens, _rows.ConvertAll(row => row.Result.Usage.CompletionTokens).ToArray(), cancellationToken: cancellationToken);
            await group.WriteAsync<double>(Confidence, _rows.ConvertAll(row => row.Result.Confidence).ToArray(), cancellationToken: cancellationToken);
        }

        _rows.Clear();
    }
}
