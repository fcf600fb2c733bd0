using System.Runtime.InteropServices;
using Llava.ModelCore.Models;
using static TorchSharp.torch;

namespace Llava.ModelCore.Engine;

/// <summary>
/// The reference runner: any device, slow and obviously right. A row's logits are the same to the bit whoever shares the step:
/// every chunk of a prompt is a pass of its own, decoding rows share passes of verified sizes (<see cref="RowBlocks"/>), and
/// attention runs per sequence.
/// </summary>
internal sealed class TorchRunner : IStepRunner
{
    private readonly LlavaModel _model;
    private readonly TimeProvider _time;
    private readonly KvArena _arena;
    private readonly FeatureCache _features;
    private readonly RowBlocks _blocks;
    private readonly Sampler _sampler = new();
    private readonly Device _device;
    private readonly List<StepWork> _block = [];
    private StepOutcome _outcome = new();

    /// <param name="model">The model; not disposed with the runner.</param>
    /// <param name="options">Sizes of the caches.</param>
    /// <param name="kvPositions">Positions of the arena.</param>
    /// <param name="time">Measures the phases.</param>
    public TorchRunner(LlavaModel model, EngineOptions options, int kvPositions, TimeProvider time)
    {
        (_model, _time) = (model, time);
        _device = model.parameters().First().device;
        _arena = new KvArena(model.Config.LanguageModel, kvPositions, _device);
        _features = new FeatureCache(options.FeatureCacheBytes);
        _blocks = RowBlocks.Probe(model.Language, options.MaxSlots);
    }

    /// <summary>Called with the logits of every row that samples, for tests that compare them.</summary>
    public SampledRow? Sampled { get; set; }

    /// <summary>Looks at one row's logits (vocabulary).</summary>
    public delegate void SampledRow(Sequence sequence, ReadOnlySpan<float> logits);

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

        foreach (var work in plan.Prefills)
        {
            Prefill(work);
        }

        var middle = _time.GetTimestamp();
        Decode(plan.Decodes);
        outcome.PrefillTime = _time.GetElapsedTime(start, middle);
        outcome.DecodeTime = _time.GetElapsedTime(middle);
    }

    public void Dispose()
    {
        _features.Dispose();
        _arena.Dispose();
    }

    private void Prefill(StepWork work)
    {
        if (_outcome.Works.Exists(earlier => earlier.Work.Sequence == work.Sequence && earlier.Error is not null))
        {
            return;
        }

        try
        {
            _outcome.Works.Add(new WorkOutcome(work, RunChunk(work)));
        }
        catch (Exception e)
        {
            // Whatever fails in a prompt's own pass is that sequence's failure and nobody else's.
            _outcome.Works.Add(new WorkOutcome(work, null, e));
        }
    }

    private SampledToken? RunChunk(StepWork work)
    {
        using var scope = NewDisposeScope();
        var sequence = work.Sequence;
        var embeddings = Embed(sequence, work.FirstPosition, work.Count);
        var positions = arange(work.FirstPosition, work.FirstPosition + work.Count, ScalarType.Int64, _device);
        var attention = new ExtentAttention(_arena, [new AttentionSpan(sequence.Extent!.Value.Start, work.FirstPosition, work.Count)], _device);
        var hidden = Forward(embeddings, positions, sequence.Layout.Positions, attention);
        if (!work.Samples)
        {
            return null;
        }

        var logits = _model.Language.Logits(hidden.narrow(0, work.Count - 1, 1)).cpu();
        return Sample(sequence, MemoryMarshal.Cast<byte, float>(logits.bytes));
    }

    /// <summary>Text tokens and image features of some positions: (count, hidden).</summary>
    private Tensor Embed(Sequence sequence, int first, int count)
    {
        List<Tensor> parts = [];
        foreach (var piece in sequence.Layout.Pieces)
        {
            var from = Math.Max(first, piece.FirstPosition);
            var length = Math.Min(first + count, piece.End) - from;
            if (length <= 0)
            {
                continue;
            }

            if (piece.Image >= 0)
            {
                parts.Add(Features(sequence.Request.Images[piece.Image]).narrow(0, from - piece.FirstPosition, length));
                continue;
            }

            var ids = new long[length];
            for (var i = 0; i < length; i++)
            {
                ids[i] = sequence.Tokens[piece.FirstToken + from - piece.FirstPosition + i];
            }

            parts.Add(_model.Language.Embed(tensor(ids, device: _device)));
        }

        return cat(parts, 0);
    }

    private Tensor Features(ImageInput image)
    {
        var features = _features.Get(image, Encode, out var isHit);
        (_outcome.FeatureHits, _outcome.ImagesEncoded) = (_outcome.FeatureHits + (isHit ? 1 : 0), _outcome.ImagesEncoded + (isHit ? 0 : 1));
        return features;
    }

    private Tensor Encode(ImageInput image)
    {
        using var scope = NewDisposeScope();
        var pixels = tensor(image.Pixels, [1, 3, image.Side, image.Side], device: _device);
        return _model.EncodeImages(pixels).squeeze(0).MoveToOuterDisposeScope();
    }

    private void Decode(List<StepWork> works)
    {
        for (var next = 0; next < works.Count; next += _block.Count)
        {
            _block.Clear();
            var length = Longest(works[next]);
            var limit = length > 0 ? 1 : _blocks.For(works.Count - next);
            while (_block.Count < limit && next + _block.Count < works.Count && Longest(works[next + _block.Count]) == length)
            {
                _block.Add(works[next + _block.Count]);
            }

            DecodeBlock(CollectionsMarshal.AsSpan(_block), length);
        }
    }

    /// <summary>A length that rotates this row's positions in a way of its own, so that it cannot share a pass; 0 for all others.</summary>
    private int Longest(StepWork work)
    {
        var length = work.FirstPosition + 1;
        return LanguageModelPositions.DependOnLength(_model.Config.LanguageModel, length) ? length : 0;
    }

    private void DecodeBlock(ReadOnlySpan<StepWork> works, int longest)
    {
        try
        {
            RunRows(works, longest);
        }
        catch (Exception) when (works.Length > 1)
        {
            // The rows' numbers do not depend on each other, so each can be run again alone to find the one that fails.
            foreach (ref readonly var work in works)
            {
                DecodeBlock(new ReadOnlySpan<StepWork>(in work), longest);
            }
        }
        catch (Exception e)
        {
            _outcome.Works.Add(new WorkOutcome(works[0], null, e));
        }
    }

    private void RunRows(ReadOnlySpan<StepWork> works, int longest)
    {
        using var scope = NewDisposeScope();
        var rows = _blocks.For(works.Length);
        var (ids, positions, spans) = (new long[rows], new long[rows], new AttentionSpan[works.Length]);
        for (var i = 0; i < works.Length; i++)
        {
            (ids[i], positions[i]) = (works[i].Sequence.Tokens[^1], works[i].FirstPosition);
            spans[i] = new AttentionSpan(works[i].Sequence.Extent!.Value.Start, works[i].FirstPosition, 1);
        }

        var embeddings = _model.Language.Embed(tensor(ids, device: _device));
        var hidden = Forward(embeddings, tensor(positions, device: _device), longest, new ExtentAttention(_arena, spans, _device));
        var logits = MemoryMarshal.Cast<byte, float>(_model.Language.Logits(hidden).cpu().bytes);
        var vocabulary = logits.Length / rows;
        for (var i = 0; i < works.Length; i++)
        {
            _outcome.Works.Add(SampleRow(works[i], logits.Slice(i * vocabulary, vocabulary)));
        }
    }

    private Tensor Forward(Tensor embeddings, Tensor positions, int longest, IAttention attention)
    {
        using var layers = new LayerScopes();
        return layers.Close(_model.Language.Forward(embeddings, positions, longest, attention, layers.Next));
    }

    private WorkOutcome SampleRow(StepWork work, ReadOnlySpan<float> logits)
    {
        try
        {
            return new WorkOutcome(work, Sample(work.Sequence, logits));
        }
        catch (Exception e)
        {
            // One row that cannot be sampled leaves its neighbours alone.
            return new WorkOutcome(work, null, e);
        }
    }

    private SampledToken Sample(Sequence sequence, ReadOnlySpan<float> logits)
    {
        Sampled?.Invoke(sequence, logits);
        return _sampler.Sample(logits, sequence.Tokens, sequence.Request.Sampling, sequence.Seed, sequence.Generated.Length);
    }
}
