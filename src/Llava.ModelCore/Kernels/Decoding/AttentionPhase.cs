using System.Runtime.InteropServices;
using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Kernels.Attention;
using Llava.ModelCore.Kernels.Threads;

namespace Llava.ModelCore.Kernels.Decoding;

/// <summary>The attention of a pass: a part is some queries of one sequence and one key-value head.</summary>
internal sealed unsafe class AttentionPhase : IParallelWork, IDisposable
{
    // Queries of a part: enough to pay for the claim, few enough to keep all threads busy to the end of a long prompt.
    private const int QueriesOfPart = 64;

    private readonly LanguageModelConfig _config;
    private readonly KeyValueStore _store;
    private readonly NativeBuffer<float>[] _scratch;
    private readonly List<(DecoderSpan Span, int Head, int First, int Count)> _parts = [];
    private int _layer;
    private Rows _queries;
    private Rows _mixed;

    public AttentionPhase(LanguageModelConfig config, KeyValueStore store, int threads, int maxPositions)
    {
        (_config, _store) = (config, store);
        _scratch = [.. Enumerable.Range(0, threads).Select(_ => new NativeBuffer<float>(AttentionTile.Scratch(maxPositions, store.PaddedSize)))];
    }

    private int Group => _config.Heads / _config.KeyValueHeads;

    /// <summary>Splits a pass into parts, the same for all layers.</summary>
    public void Begin(DecoderBatch batch)
    {
        _parts.Clear();
        foreach (var span in batch.Spans)
        {
            var queries = span.Count * Group;
            for (var first = 0; first < queries; first += QueriesOfPart)
            {
                for (var head = 0; head < _config.KeyValueHeads; head++)
                {
                    _parts.Add((span, head, first, Math.Min(QueriesOfPart, queries - first)));
                }
            }
        }
    }

    /// <summary>Attends in one layer.</summary>
    /// <param name="pool">Who computes.</param>
    /// <param name="layer">Layer; its keys and values of the pass are stored.</param>
    /// <param name="queries">(rows, heads · head size and more).</param>
    /// <param name="mixed">Gets (rows, heads · head size).</param>
    public void Run(WorkerPool pool, int layer, Rows queries, Rows mixed)
    {
        (_layer, _queries, _mixed) = (layer, queries, mixed);
        pool.Run(this, _parts.Count);
    }

    /// <inheritdoc/>
    public void Run(int part, int worker)
    {
        var (span, head, first, count) = CollectionsMarshal.AsSpan(_parts)[part];
        var column = head * Group * _config.HeadSize;
        _store.Attend(
            new AttentionTask(
                _layer, head, Group, span.ExtentStart, span.FirstPosition, At(_queries, span.FirstRow, column), At(_mixed, span.FirstRow, column), first, count),
            _scratch[worker].Start);
    }

    /// <inheritdoc/>
    public void Dispose() => Array.ForEach(_scratch, buffer => buffer.Dispose());

    private static Rows At(Rows rows, int row, int column) => new(rows.At(row) + column, rows.Stride);
}
