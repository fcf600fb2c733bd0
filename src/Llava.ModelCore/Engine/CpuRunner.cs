using System.Runtime.InteropServices;
using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Kernels;
using Llava.ModelCore.Kernels.Attention;
using Llava.ModelCore.Kernels.Decoding;
using Llava.ModelCore.Kernels.Products;
using Llava.ModelCore.Kernels.Threads;
using Llava.ModelCore.Kernels.Weights;
using Llava.ModelCore.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Engine;

/// <summary>
/// The runner on our own kernels: prompts and decoding rows share passes, so a step reads the weights once; vision tower and projector stay in
/// torch. A row's logits are the same to the bit whoever shares its pass, because no kernel's sums depend on its neighbours.
/// </summary>
internal sealed unsafe class CpuRunner : IStepRunner
{
    /// <summary>Rows of the largest pass: enough for products to be bound by arithmetic.</summary>
    public const int MaxRows = 512;

    // Rows whose logits are there at the same time.
    private const int LogitRows = 32;

    private readonly DecoderWeights _weights;
    private readonly TimeProvider _time;
    private readonly WorkerPool _pool;
    private readonly KeyValueStore _store;
    private readonly Decoder _decoder;
    private readonly ImageFeatures _features;
    private readonly NativeBuffer<float> _logits;
    private readonly RowSampling _sampling = new();
    private readonly DecoderBatch _batch = new();
    private readonly List<(StepWork Work, int Row)> _ends = [];
    private readonly List<int> _sampledRows = [];
    private readonly HashSet<Sequence> _failed = [];
    private StepOutcome _outcome = new();
    private int _decodingRows;

    /// <param name="images">Vision tower and projector; not disposed with the runner.</param>
    /// <param name="weights">The language model; disposed with the runner.</param>
    /// <param name="options">Kernel, threads and sizes.</param>
    /// <param name="kvPositions">Positions of the arena.</param>
    /// <param name="time">Measures the phases.</param>
    /// <exception cref="KernelUnavailableException">The options name a kernel that this machine cannot run.</exception>
    public CpuRunner(LlavaModel images, DecoderWeights weights, EngineOptions options, int kvPositions, TimeProvider time)
    {
        (_weights, _time) = (weights, time);
        var kernel = IntegerKernels.Get(options.Kernel);
        _pool = new WorkerPool(options.ThreadCount);
        _store = KeyValueStore.Create(weights.Config, kvPositions, options.HasHalfKeyValues);
        _decoder = new Decoder(weights, _store, kernel, _pool, MaxRows, Math.Min(kvPositions, LanguageModelPositions.Limit(weights.Config)));
        _features = new ImageFeatures(images, options.FeatureCacheBytes);
        _logits = new NativeBuffer<float>((long)LogitRows * Panel.Padded(weights.Config.VocabularySize));
    }

    /// <summary>Bytes that passes of a model compute with.</summary>
    public static long WorkBytes(LanguageModelConfig config, EngineOptions options) => DecoderBuffers.BytesOf(config, MaxRows)
        + (sizeof(float) * (((long)LogitRows * config.VocabularySize) + ((long)options.ThreadCount * AttentionTile.Scratch(LanguageModelPositions.Limit(config), config.HeadSize))));

    /// <inheritdoc/>
    public RowSampling.SampledRow? Sampled
    {
        get => _sampling.Sampled;
        set => _sampling.Sampled = value;
    }

    /// <inheritdoc/>
    public void Run(StepPlan plan, StepOutcome outcome)
    {
        _outcome = outcome;
        _failed.Clear();
        // A step that failed as a whole leaves its rows behind.
        EndPass();
        foreach (var copy in plan.Copies)
        {
            _store.Copy(copy.Source, copy.Target, copy.Count);
        }

        foreach (var work in plan.Decodes)
        {
            Take(work, 0, 1);
            _decoder.Embed(_batch.Rows - 1, work.Sequence.Tokens[^1]);
            _decodingRows++;
        }

        foreach (var work in plan.Prefills)
        {
            Prefill(work);
        }

        Flush();
    }

    /// <inheritdoc/>
    public float[] Embed(ImageInput image) => _features.Embed(image);

    /// <inheritdoc/>
    public void Dispose()
    {
        _features.Dispose();
        _decoder.Dispose();
        _store.Dispose();
        _logits.Dispose();
        _weights.Dispose();
        _pool.Dispose();
    }

    /// <summary>Puts a chunk of a prompt into passes; an image that cannot be encoded fails its sequence alone.</summary>
    private void Prefill(StepWork work)
    {
        if (_failed.Contains(work.Sequence))
        {
            return;
        }

        using var mode = inference_mode();
        using var scope = NewDisposeScope();
        List<(PromptPiece Piece, int From, int Count, Tensor? Features)> parts = [];
        try
        {
            foreach (var (piece, from, count) in work.Sequence.Layout.Slice(work.FirstPosition, work.Count))
            {
                parts.Add((piece, from, count, piece.Image < 0 ? null : _features.Get(work.Sequence.Request.Images[piece.Image], _outcome).contiguous()));
            }
        }
        catch (Exception e)
        {
            _failed.Add(work.Sequence);
            _outcome.Works.Add(new WorkOutcome(work, null, e));
            return;
        }

        foreach (var (piece, from, count, features) in parts)
        {
            Embed(work, piece, from, count, features);
        }
    }

    /// <summary>Embeds a part of a prompt, in as many passes as it takes.</summary>
    private void Embed(StepWork work, PromptPiece piece, int from, int count, Tensor? features)
    {
        for (var done = 0; done < count;)
        {
            var taken = Take(work, piece.FirstPosition + from + done - work.FirstPosition, count - done);
            var first = _batch.Rows - taken;
            for (var i = 0; i < taken; i++)
            {
                if (features is null)
                {
                    _decoder.Embed(first + i, work.Sequence.Tokens[piece.FirstToken + from + done + i]);
                }
                else
                {
                    _decoder.Embed(first + i, MemoryMarshal.Cast<byte, float>(features.bytes).Slice((from + done + i) * _weights.Config.HiddenSize, _weights.Config.HiddenSize));
                }
            }

            done += taken;
        }
    }

    /// <summary>Takes rows of the pass for a work, beginning a new pass where this one is full; returns how many there were.</summary>
    private int Take(StepWork work, int from, int count)
    {
        if (_batch.Rows == MaxRows)
        {
            Flush();
        }

        var taken = Math.Min(count, MaxRows - _batch.Rows);
        var first = _batch.Add(taken, work.Sequence.Extent!.Value.Start, work.FirstPosition + from, LanguageModelPositions.LongestOf(_weights.Config, work));
        if (from + taken == work.Count)
        {
            _ends.Add((work, first + taken - 1));
        }

        return taken;
    }

    /// <summary>Runs the pass and samples the works that end in it.</summary>
    private void Flush()
    {
        if (_batch.Rows == 0)
        {
            return;
        }

        var start = _time.GetTimestamp();
        _decoder.Run(_batch);
        Sample();
        var elapsed = _time.GetElapsedTime(start);
        // One pass serves both phases; its time is shared as its rows are.
        var decoding = elapsed * ((double)_decodingRows / _batch.Rows);
        _outcome.DecodeTime += decoding;
        _outcome.PrefillTime += elapsed - decoding;
        EndPass();
    }

    private void EndPass()
    {
        _batch.Clear();
        _ends.Clear();
        _decodingRows = 0;
    }

    private void Sample()
    {
        for (var i = 0; i < _ends.Count;)
        {
            var first = i;
            _sampledRows.Clear();
            for (; i < _ends.Count && _sampledRows.Count < LogitRows; i++)
            {
                if (_ends[i].Work.Samples)
                {
                    _sampledRows.Add(_ends[i].Row);
                }
            }

            Sample(CollectionsMarshal.AsSpan(_ends)[first..i]);
        }
    }

    private void Sample(ReadOnlySpan<(StepWork Work, int Row)> ends)
    {
        var vocabulary = _weights.Config.VocabularySize;
        Rows logits = new(_logits.Start, Panel.Padded(vocabulary));
        _decoder.Logits(CollectionsMarshal.AsSpan(_sampledRows), logits);
        var row = 0;
        foreach (var (work, _) in ends)
        {
            _outcome.Works.Add(work.Samples ? _sampling.Sample(work, new ReadOnlySpan<float>(logits.At(row++), vocabulary)) : new WorkOutcome(work, null));
        }
    }
}
