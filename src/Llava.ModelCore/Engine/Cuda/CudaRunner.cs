using Llava.ModelCore.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Engine.Cuda;

/// <summary>
/// The runner on a CUDA device, in bfloat16: everything a step plans is one pass, in which rows that decode and chunks of prompts share the products. Products and flash attention are
/// libtorch's, what lies between them ours, each replaceable by torch's operations (<see cref="CudaOptions"/>). A row's numbers may depend on how many rows share its pass, because the
/// library chooses its products by their size (decision 0020). With two streams a step is two passes instead, beside each other (decision 0022).
/// </summary>
internal sealed class CudaRunner : IStepRunner
{
    private readonly CudaSession _session;
    private readonly DeviceWeights _weights;
    private readonly EngineOptions _options;
    private readonly TimeProvider _time;
    private readonly DeviceArena _arena;
    private readonly DeviceDecoder _decoder;
    private readonly ImageFeatures _features;
    private readonly DeviceSampler _sampler;
    private readonly StepGraphs _graphs;
    private readonly HashSet<Sequence> _failed = [];
    // Where prompts are computed beside rows that decode; null where both share a pass.
    private readonly SideStream? _side;
    private readonly DeviceDecoder? _prompts;
    private UnreadStep? _unread;

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
        var finding = options.Cuda.GraphRows > 0 ? StepGraphs.Prepare(session) : null;
        _side = options.Cuda.TwoStreams ? new SideStream(session) : null;
        var longest = Math.Min(kvPositions, LanguageModelPositions.Limit(weights.Config));
        _arena = DeviceArena.Create(session, weights.Config, kvPositions, options.Cuda);
        _decoder = new DeviceDecoder(session, weights, _arena, options, _side is null ? options.StepTokens : options.MaxSlots, longest);
        _prompts = _side is null ? null : new DeviceDecoder(session, weights, _arena, options, options.StepTokens, longest);
        _features = new ImageFeatures(images, options.FeatureCacheBytes);
        _sampler = new DeviceSampler(session);
        _graphs = new StepGraphs(session, _decoder, NewPass, options.Cuda.GraphRows, options.MaxSlots, longest, finding);
        session.Kernels.LoadAll();
    }

    /// <inheritdoc/>
    public RowSampling.SampledRow? Sampled
    {
        get => _sampler.Sampled;
        set => _sampler.Sampled = value;
    }

    /// <inheritdoc/>
    public string? Notice => _graphs.Finding;

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

        List<LaunchedPass> launched = [];
        try
        {
            Launch(plan, outcome, launched);
            ReadLate(outcome);
            Finish(launched, outcome);
        }
        catch
        {
            // The step fails whoever waits for what was unread.
            launched.ForEach(pass => pass.Chosen?.Dispose());
            _unread?.Dispose();
            _unread = null;
            throw;
        }

        var (elapsed, decoding) = (_time.GetElapsedTime(start), launched.Sum(one => one.Pass.Decoding));
        // Both phases are computed together; the time is shared as the rows are.
        outcome.DecodeTime = elapsed * ((double)decoding / Math.Max(1, launched.Sum(one => one.Pass.Rows - one.Pass.Padding)));
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
        _session.Enter();
        _unread?.Dispose();
        _graphs.Dispose();
        _features.Dispose();
        _decoder.Dispose();
        _prompts?.Dispose();
        _side?.Dispose();
        _arena.Dispose();
        _weights.Dispose();
        _session.Dispose();
    }

    /// <summary>Gives the device all rows of a step: in one pass, or in one of the rows that decode and beside it one of the prompts.</summary>
    private void Launch(StepPlan plan, StepOutcome outcome, List<LaunchedPass> launched)
    {
        var pass = NewPass();
        plan.Decodes.ForEach(work => pass.AddDecode(work, work.Sequence.Unread > 0 ? _unread!.IndexOf(work.Sequence) : null));
        if (_side is null)
        {
            AddPrompts(pass, plan, outcome);
            Launch(pass, _decoder, launched);
            return;
        }

        _side.Begin();
        try
        {
            Launch(pass, _decoder, launched);
            _side.Enter();
            var prompts = NewPass();
            AddPrompts(prompts, plan, outcome);
            Launch(prompts, _prompts!, launched);
        }
        finally
        {
            _side.End();
        }
    }

    /// <summary>Adds the chunks of prompts. An image that cannot be encoded fails its sequence alone, whose rows stay away.</summary>
    private void AddPrompts(DevicePass pass, StepPlan plan, StepOutcome outcome)
    {
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
    }

    private DevicePass NewPass() => new(_weights.Config, new DeviceBlock(), _decoder.DecodesApart);

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

    /// <summary>Puts a pass and the choice of its tokens into the stream.</summary>
    private void Launch(DevicePass pass, DeviceDecoder decoder, List<LaunchedPass> launched)
    {
        if (pass.Rows == 0)
        {
            return;
        }

        var isGraph = _graphs.Take(pass);
        pass.Complete();
        SampledRows sampled = new(pass, _weights.Config.VocabularySize, _options.Cuda.DeviceSampling);
        var unread = pass.Decoding > 0 ? _unread?.OnDevice : null;
        var logits = isGraph ? _graphs.Run(pass, unread) : Compute(pass, decoder, sampled, unread);
        launched.Add(new LaunchedPass(pass, sampled, logits, _sampler.Choose(sampled, pass.Block, logits)));
    }

    private Tensor Compute(DevicePass pass, DeviceDecoder decoder, SampledRows sampled, Tensor? unread)
    {
        pass.Block.Send(_session.Device);
        return decoder.Run(pass, sampled.Rows, unread);
    }

    /// <summary>Reads the tokens of a step only if the host has to have them at once.</summary>
    private void Finish(List<LaunchedPass> launched, StepOutcome outcome)
    {
        foreach (var work in launched.SelectMany(one => one.Pass.Works).Where(work => !work.Samples))
        {
            outcome.Works.Add(new WorkOutcome(work, null));
        }

        UnreadTokens[] chosen = [.. launched.Select(one => one.Chosen).OfType<UnreadTokens>()];
        if (_options.Cuda.LateTokens && launched.TrueForAll(one => _sampler.IsDevicesAlone(one.Sampled)))
        {
            _unread = chosen.Length == 0 ? null : new UnreadStep(chosen);
            _unread?.Leave();
            return;
        }

        foreach (var one in launched)
        {
            _sampler.Read(one.Chosen, outcome, one.Logits);
            _sampler.ChooseOnHost(one.Sampled, one.Logits, outcome);
        }

        Array.ForEach(chosen, tokens => tokens.Dispose());
    }

    /// <summary>Reads the tokens of the step before. Where that fails, they stay unread, and whoever waits for them fails with the step.</summary>
    private void ReadLate(StepOutcome outcome)
    {
        using var unread = _unread;
        _unread = null;
        foreach (var part in unread?.Parts ?? [])
        {
            _sampler.Read(part, outcome);
        }

        unread?.Return();
    }
}
