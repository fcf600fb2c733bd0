using System.Runtime.InteropServices;
using Llava.ModelCore.Models;
using static TorchSharp.torch;

namespace Llava.ModelCore.Engine;

/// <summary>
/// The reference runner: any device, slow and obviously right. A row's logits are the same to the bit whoever shares the step:
/// chunks and decoding rows share passes of verified sizes only (<see cref="RowBlocks"/>), a chunk that fits none is a pass of
/// its own, attention runs per sequence, and images are encoded one by one.
/// </summary>
internal sealed class TorchRunner : IStepRunner
{
    private readonly LlavaModel _model;
    private readonly TimeProvider _time;
    private readonly KvArena _arena;
    private readonly ImageFeatures _features;
    private readonly RowBlocks _blocks;
    private readonly RowSampling _sampling = new();
    private readonly Device _device;
    private readonly IReadOnlyList<Device> _layerDevices;
    private readonly Tensor? _slopes;
    private StepOutcome _outcome = new();

    /// <param name="model">The model; not disposed with the runner.</param>
    /// <param name="options">Sizes of the caches.</param>
    /// <param name="kvPositions">Positions of the arena.</param>
    /// <param name="time">Measures the phases.</param>
    public TorchRunner(LlavaModel model, EngineOptions options, int kvPositions, TimeProvider time)
    {
        (_model, _time) = (model, time);
        _device = model.Language.Device;
        _layerDevices = model.Language.Devices;
        _arena = new KvArena(model.Config.LanguageModel, kvPositions, [.. model.Language.Layers.Select(layer => layer.Device)]);
        _slopes = Alibi.SlopesOf(model.Config.LanguageModel, _device)?.DetachFromDisposeScope();
        _features = new ImageFeatures(model, options.FeatureCacheBytes);
        _blocks = RowBlocks.Probe(model.Language);
    }

    /// <inheritdoc/>
    public RowSampling.SampledRow? Sampled
    {
        get => _sampling.Sampled;
        set => _sampling.Sampled = value;
    }

    /// <inheritdoc/>
    public void Run(StepPlan plan, StepOutcome outcome)
    {
        using var mode = inference_mode();
        _outcome = outcome;
        var start = _time.GetTimestamp();
        foreach (var copy in plan.Copies)
        {
            _arena.Copy(copy.Source, copy.Target, copy.Count);
        }

        RunInPasses(CollectionsMarshal.AsSpan(plan.Prefills));
        var middle = _time.GetTimestamp();
        RunInPasses(CollectionsMarshal.AsSpan(plan.Decodes));
        outcome.PrefillTime = _time.GetElapsedTime(start, middle);
        outcome.DecodeTime = _time.GetElapsedTime(middle);
    }

    /// <inheritdoc/>
    public float[] Embed(ImageInput image) => _features.Embed(image);

    public void Dispose()
    {
        _slopes?.Dispose();
        _features.Dispose();
        _arena.Dispose();
    }

    private void RunInPasses(ReadOnlySpan<StepWork> works)
    {
        while (works.Length > 0)
        {
            var count = PassLength(works);
            RunIsolated(works[..count]);
            works = works[count..];
        }
    }

    /// <summary>How many of the works, from the first, share a pass.</summary>
    private int PassLength(ReadOnlySpan<StepWork> works)
    {
        var (count, rows) = (1, works[0].Count);
        while (count < works.Length && Longest(works[0]) == 0 && Longest(works[count]) == 0 && rows + works[count].Count <= _blocks.Largest)
        {
            rows += works[count++].Count;
        }

        return count;
    }

    /// <summary>A length that rotates this work's positions in a way of its own, so that it cannot share a pass; 0 for all others.</summary>
    private int Longest(StepWork work) => LanguageModelPositions.LongestOf(_model.Config.LanguageModel, work);

    /// <summary>Runs a pass. If it fails, its sequences run again alone, which changes no bit of theirs, to find the one that fails.</summary>
    private void RunIsolated(ReadOnlySpan<StepWork> works)
    {
        var first = works[0].Sequence;
        var own = 1;
        while (own < works.Length && works[own].Sequence == first)
        {
            own++;
        }

        try
        {
            RunPass(works);
        }
        catch (Exception) when (own < works.Length)
        {
            RunIsolated(works[..own]);
            RunIsolated(works[own..]);
        }
        catch (Exception e)
        {
            _outcome.Works.Add(new WorkOutcome(works[0], null, e));
        }
    }

    private void RunPass(ReadOnlySpan<StepWork> works)
    {
        using var scope = NewDisposeScope();
        var (spans, samples) = (new AttentionSpan[works.Length], new List<long>(works.Length));
        var rows = 0;
        for (var i = 0; i < works.Length; i++)
        {
            spans[i] = new AttentionSpan(works[i].Sequence.Extent!.Value.Start, works[i].FirstPosition, works[i].Count);
            rows += works[i].Count;
            if (works[i].Samples)
            {
                samples.Add(rows - 1);
            }
        }

        var (embeddings, positions) = Inputs(works, _blocks.For(rows));
        var hidden = Forward(embeddings, positions, Longest(works[0]), PlacedAttention.On(_layerDevices, device => new ExtentAttention(_arena, spans, device, _slopes?.to(device))));
        if (samples.Count == 0)
        {
            Add(works, [], 0);
            return;
        }

        // The head's product has a verified number of rows too; the first sampled row fills it up.
        var padding = Enumerable.Repeat(samples[0], _blocks.For(samples.Count) - samples.Count);
        var sampled = hidden.index_select(0, tensor([.. samples, .. padding], device: hidden.device));
        var logits = _model.Language.Logits(sampled).cpu();
        Add(works, MemoryMarshal.Cast<byte, float>(logits.bytes), (int)logits.shape[1]);
    }

    /// <summary>Embeddings (rows, hidden) and positions int64 (rows) of a pass; rows that no work fills are token 0 at position 0.</summary>
    private (Tensor Embeddings, Tensor Positions) Inputs(ReadOnlySpan<StepWork> works, int rows)
    {
        var (ids, positions) = (new long[rows], new long[rows]);
        List<(int Row, Tensor Features)> images = [];
        var row = 0;
        foreach (var work in works)
        {
            for (var i = 0; i < work.Count; i++)
            {
                positions[row + i] = work.FirstPosition + i;
            }

            if (work.FirstPosition >= work.Sequence.Layout.Positions)
            {
                ids[row] = work.Sequence.Tokens[^1];
            }

            foreach (var (piece, from, count) in work.Sequence.Layout.Slice(work.FirstPosition, work.Count))
            {
                var target = row + piece.FirstPosition + from - work.FirstPosition;
                if (piece.Image >= 0)
                {
                    images.Add((target, _features.Get(work.Sequence.Request.Images[piece.Image], _outcome).narrow(0, from, count)));
                    continue;
                }

                for (var i = 0; i < count; i++)
                {
                    ids[target + i] = work.Sequence.Tokens[piece.FirstToken + from + i];
                }
            }

            row += work.Count;
        }

        var embeddings = _model.Language.Embed(tensor(ids, device: _device));
        foreach (var (target, features) in images)
        {
            embeddings.narrow(0, target, features.shape[0]).copy_(features);
        }

        return (embeddings, tensor(positions, device: _device));
    }

    private Tensor Forward(Tensor embeddings, Tensor positions, int longest, IAttention attention)
    {
        using var layers = new LayerScopes();
        return layers.Close(_model.Language.Forward(embeddings, positions, longest, attention, layers.Next));
    }

    /// <summary>Notes what became of each work; the logits hold one row per work that samples.</summary>
    private void Add(ReadOnlySpan<StepWork> works, ReadOnlySpan<float> logits, int vocabulary)
    {
        foreach (var work in works)
        {
            if (!work.Samples)
            {
                _outcome.Works.Add(new WorkOutcome(work, null));
                continue;
            }

            _outcome.Works.Add(_sampling.Sample(work, logits[..vocabulary]));
            logits = logits[vocabulary..];
        }
    }
}
