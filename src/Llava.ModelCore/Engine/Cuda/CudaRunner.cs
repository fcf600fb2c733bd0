using Llava.ModelCore.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Engine.Cuda;

/// <summary>
/// The runner on a CUDA device, in bfloat16: everything a step plans is one pass, in which rows that decode and chunks of prompts share the products. Products and flash attention are
/// libtorch's, what lies between them ours, each replaceable by torch's operations (<see cref="CudaOptions"/>). A row's numbers may depend on how many rows share its pass, because the
/// library chooses its products by their size (decision 0020).
/// </summary>
internal sealed class CudaRunner : IStepRunner
{
    private readonly CudaSession _session;
    private readonly DeviceWeights _weights;
    private readonly EngineOptions _options;
    private readonly TimeProvider _time;
    private readonly KvArena _arena;
    private readonly DeviceDecoder _decoder;
    private readonly ImageFeatures _features;
    private readonly DeviceSampler _sampler;
    private readonly HashSet<Sequence> _failed = [];
    private UnreadTokens? _unread;

    /// <param name="session">The device; disposed with the runner.</param>
    /// <param name="images">Vision tower and projector, placed on the device; not disposed with the runner.</param>
    /// <param name="weights">The language model; disposed with the runner.</param>
    /// <param name="options">Sizes, and who computes what.</param>
    /// <param name="kvPositions">Positions of the arena.</param>
    /// <param name="time">Measures the phases.</param>
    public CudaRunner(CudaSession session, LlavaModel images, DeviceWeights weights, EngineOptions options, int kvPositions, TimeProvider time)
    {
        (_session, _weights, _options, _time) = (session, weights, options, time);
        session.Enter();
        _arena = new KvArena(weights.Config, kvPositions, [.. Enumerable.Repeat(session.Device, weights.Config.Layers)], ScalarType.BFloat16);
        _decoder = new DeviceDecoder(session, weights, _arena, options, Math.Min(kvPositions, LanguageModelPositions.Limit(weights.Config)));
        _features = new ImageFeatures(images, options.FeatureCacheBytes);
        _sampler = new DeviceSampler(session);
        session.Kernels.LoadAll();
    }

    /// <inheritdoc/>
    public RowSampling.SampledRow? Sampled
    {
        get => _sampler.Sampled;
        set => _sampler.Sampled = value;
    }

    /// <inheritdoc/>
    public bool IsBehind => _unread is not null;

    /// <summary>Brings vision tower and projector of a model to the device, in bfloat16.</summary>
    public static void Place(LlavaModel images, Device device)
    {
        images.to(ScalarType.BFloat16);
        images.to(device);
        images.ComputeIn(ScalarType.BFloat16);
    }

    /// <inheritdoc/>
    public void Run(StepPlan plan, StepOutcome outcome)
    {
        using var mode = inference_mode();
        using var scope = NewDisposeScope();
        var start = _time.GetTimestamp();
        _session.Enter();
        foreach (var copy in plan.Copies)
        {
            _arena.Copy(copy.Source, copy.Target, copy.Count);
        }

        var pass = Pass(plan, outcome);
        try
        {
            Run(pass, outcome);
        }
        catch
        {
            // The step fails whoever waits for what was unread.
            _unread?.Dispose();
            _unread = null;
            throw;
        }

        var elapsed = _time.GetElapsedTime(start);
        // One pass serves both phases; its time is shared as its rows are.
        outcome.DecodeTime = elapsed * ((double)pass.Decoding / Math.Max(1, pass.Rows));
        outcome.PrefillTime = elapsed - outcome.DecodeTime;
    }

    /// <inheritdoc/>
    public void CatchUp(StepOutcome outcome)
    {
        using var scope = NewDisposeScope();
        _session.Enter();
        ReadLate(outcome);
    }

    /// <inheritdoc/>
    public float[] Embed(ImageInput image)
    {
        _session.Enter();
        return _features.Embed(image);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _unread?.Dispose();
        _features.Dispose();
        _decoder.Dispose();
        _arena.Dispose();
        _weights.Dispose();
        _session.Dispose();
    }

    /// <summary>The rows of a step. An image that cannot be encoded fails its sequence alone, whose rows stay away.</summary>
    private DevicePass Pass(StepPlan plan, StepOutcome outcome)
    {
        DevicePass pass = new(_weights.Config, new DeviceBlock(), _decoder.DecodesApart);
        plan.Decodes.ForEach(work => pass.AddDecode(work, work.Sequence.Unread > 0 ? _unread!.IndexOf(work.Sequence) : null));
        _failed.Clear();
        var features = _features.GetAll(plan.Prefills.SelectMany(Images), _options.Cuda.VisionImages, outcome);
        foreach (var work in plan.Prefills.Where(work => !_failed.Contains(work.Sequence)))
        {
            try
            {
                pass.AddPrefill(work, Parts(work, features, outcome));
            }
            catch (Exception e)
            {
                _failed.Add(work.Sequence);
                outcome.Works.Add(new WorkOutcome(work, null, e));
            }
        }

        return pass;
    }

    /// <summary>The images that a chunk of a prompt has rows of.</summary>
    private static IEnumerable<ImageInput> Images(StepWork work) =>
        work.Sequence.Layout.Slice(work.FirstPosition, work.Count).Where(slice => slice.Piece.Image >= 0).Select(slice => work.Sequence.Request.Images[slice.Piece.Image]);

    private PromptPart[] Parts(StepWork work, Dictionary<string, Tensor> features, StepOutcome outcome) => [.. work.Sequence.Layout.Slice(work.FirstPosition, work.Count).Select(slice =>
    {
        var (piece, from, count) = slice;
        if (piece.Image < 0)
        {
            return new PromptPart(piece, from, count, null);
        }

        var image = work.Sequence.Request.Images[piece.Image];
        return new PromptPart(piece, from, count, (features.GetValueOrDefault(image.ContentHash) ?? _features.Get(image, outcome)).narrow(0, from, count));
    })];

    /// <summary>Puts a pass into the stream, then reads the tokens of the step before, while the device computes; those of this step only if the host has to have them at once.</summary>
    private void Run(DevicePass pass, StepOutcome outcome)
    {
        if (pass.Rows == 0)
        {
            ReadLate(outcome);
            return;
        }

        pass.Complete();
        SampledRows sampled = new(pass, _weights.Config.VocabularySize, _options.Cuda.DeviceSampling);
        pass.Block.Send(_session.Device);
        var logits = _decoder.Run(pass, sampled.Rows, _unread?.OnDevice);
        var chosen = _sampler.Choose(sampled, pass.Block, logits);
        try
        {
            ReadLate(outcome);
            foreach (var work in pass.Works.Where(work => !work.Samples))
            {
                outcome.Works.Add(new WorkOutcome(work, null));
            }

            if (_options.Cuda.LateTokens && _sampler.IsDevicesAlone(sampled))
            {
                chosen?.Leave();
                (_unread, chosen) = (chosen, null);
                return;
            }

            _sampler.Read(chosen, outcome, logits);
            _sampler.ChooseOnHost(sampled, logits, outcome);
        }
        finally
        {
            chosen?.Dispose();
        }
    }

    /// <summary>Reads the tokens of the step before. Where that fails, they stay unread, and whoever waits for them fails with the step.</summary>
    private void ReadLate(StepOutcome outcome)
    {
        using var unread = _unread;
        _unread = null;
        _sampler.Read(unread, outcome);
        unread?.Return();
    }
}
