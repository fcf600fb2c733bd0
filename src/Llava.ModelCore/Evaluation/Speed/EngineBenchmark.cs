using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Engine;
using Llava.ModelCore.Kernels.Decoding;
using Llava.ModelCore.Kernels.Products;
using Llava.ModelCore.Models;
using Llava.ModelCore.Quantization;

namespace Llava.ModelCore.Evaluation.Speed;

/// <summary>What is to be measured.</summary>
public sealed record EngineBenchmarkSettings
{
    /// <summary>Name of a <see cref="BenchmarkShape"/>.</summary>
    public required string Shape { get; init; }

    /// <summary>Schemes, each a case of its own.</summary>
    public IReadOnlyList<QuantizationScheme> Schemes { get; init; } = [QuantizationScheme.None, QuantizationScheme.Int8, QuantizationScheme.Int4];

    /// <summary>Sequences that decode together, each a case of its own.</summary>
    public IReadOnlyList<int> Batches { get; init; } = [1, 8, 32];

    /// <summary>Prompt tokens of the prefill; 0 leaves it out.</summary>
    public int PrefillTokens { get; init; } = 512;

    /// <summary>Positions that each decoding sequence has behind it.</summary>
    public int Context { get; init; } = 600;

    /// <summary>Steps or prompts of which the median counts.</summary>
    public int Rounds { get; init; } = 20;

    /// <summary>Threads; 0 for all cores.</summary>
    public int Threads { get; init; }

    /// <summary>The kernel of integer products.</summary>
    public KernelKind Kernel { get; init; }

    /// <summary>Whether the torch runner is measured in turn with ours.</summary>
    public bool HasReference { get; init; } = true;
}

/// <summary>
/// Prefill and decode of the real planner and runners on random weights, without images and service. Ours and the reference take turns, step by
/// step, so that whatever else the machine does meets both.
/// </summary>
public sealed class EngineBenchmark(EngineBenchmarkSettings settings)
{
    private const int WarmUp = 2;

    // Tokens of the steps that are not measured.
    private const int Spare = 16;

    private readonly LanguageModelConfig _config = BenchmarkShape.All[settings.Shape];

    /// <summary>Measures case by case.</summary>
    public IEnumerable<EngineFigures> Run()
    {
        RandomWeights random = new(new() { LanguageModel = _config });
        var threads = Options(QuantizationScheme.None, 1).ThreadCount;
        TorchSharp.torch.set_num_threads(threads);
        var limits = MachineLimits.Measure(threads);
        using var reference = settings.HasReference ? random.Model() : null;
        foreach (var scheme in settings.Schemes)
        {
            foreach (var (phase, batch) in Cases())
            {
                yield return Measure(random, reference, scheme, phase, batch, limits);
            }
        }
    }

    private IEnumerable<(string Phase, int Batch)> Cases() =>
        [.. settings.PrefillTokens > 0 ? [("prefill", settings.PrefillTokens)] : ((string, int)[])[], .. settings.Batches.Select(batch => ("decode", batch))];

    private EngineFigures Measure(RandomWeights random, LlavaModel? reference, QuantizationScheme scheme, string phase, int batch, MachineLimits limits)
    {
        var decodes = phase == "decode";
        var options = Options(scheme, decodes ? batch : 1);
        var weights = random.Pack(scheme, options.ThreadCount);
        var bytes = weights.Bytes - weights.Embeddings.Bytes;
        using LlavaModel images = new(random.Config, hasLanguage: false);
        using SteppedEngine ours = new(random.Config, options, positions => new CpuRunner(images, weights, options, positions, TimeProvider.System));
        using var theirs = reference is null ? null : Reference(random, reference, decodes ? batch : 1);
        List<SteppedEngine> engines = [ours, .. theirs is null ? [] : (SteppedEngine[])[theirs]];
        if (decodes)
        {
            engines.ForEach(engine => engine.Fill(batch, settings.Context, settings.Rounds + Spare));
        }

        var times = Turns.Measure(WarmUp, settings.Rounds, [.. engines.Select(engine => (Action)(decodes ? engine.Step : () => engine.Prompt(batch)))]);
        var cache = decodes ? batch * (double)settings.Context * options.BytesPerPosition(_config) : 0;
        return new()
        {
            Shape = settings.Shape,
            Scheme = scheme.Word(),
            Kernel = IntegerKernels.Get(options.Kernel).Kind.ToString(),
            Threads = options.ThreadCount,
            Phase = phase,
            Batch = batch,
            Context = decodes ? settings.Context : 0,
            Rounds = settings.Rounds,
            TokensPerSecond = batch / times[0].Wall,
            TokensPerCpuSecond = batch / times[0].Cpu,
            ReferenceTokensPerSecond = theirs is null ? null : batch / times[1].Wall,
            ReferenceTokensPerCpuSecond = theirs is null ? null : batch / times[1].Cpu,
            ShareOfRoofline = scheme == QuantizationScheme.None ? null : new Roofline(_config, limits).Seconds(bytes, cache, batch, decodes ? batch : 1) / times[0].Wall,
            AllocatedBytesPerStep = ours.AllocatedBytesPerStep,
        };
    }

    private SteppedEngine Reference(RandomWeights random, LlavaModel model, int slots)
    {
        var options = Options(QuantizationScheme.None, slots);
        options.Runner = RunnerKind.Torch;
        return new(random.Config, options, positions => new TorchRunner(model, options, positions, TimeProvider.System));
    }

    private EngineOptions Options(QuantizationScheme scheme, int slots) => new()
    {
        MaxSlots = slots,
        MaxStepTokens = 4096,
        Runner = RunnerKind.Cpu,
        Quantize = scheme,
        Kernel = settings.Kernel,
        Threads = settings.Threads,
        KvPositions = (slots + 1) * ExtentAllocator.Rounded(Math.Max(settings.PrefillTokens, settings.Context) + settings.Rounds + Spare),
    };
}
