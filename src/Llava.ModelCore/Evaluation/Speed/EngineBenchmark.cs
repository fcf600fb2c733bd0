using System.Diagnostics;
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
        RandomWeights random = new(_config);
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
        var options = Options(scheme, phase == "decode" ? batch : 1);
        var weights = random.Pack(scheme, options.ThreadCount);
        var bytes = weights.Bytes - weights.Embeddings.Bytes;
        using LlavaModel images = new(random.Config, hasLanguage: false);
        using SteppedEngine ours = new(random.Config, options, positions => new CpuRunner(images, weights, options, positions, TimeProvider.System));
        using var theirs = reference is null ? null : Reference(random, reference, phase == "decode" ? batch : 1);
        List<SteppedEngine> engines = [ours, .. theirs is null ? [] : (SteppedEngine[])[theirs]];
        var times = phase == "decode" ? Decode(engines, batch) : Prefill(engines, batch);
        var (seconds, cpu) = (Median(times[0], time => time.Wall), Median(times[0], time => time.Cpu));
        return new()
        {
            Shape = settings.Shape,
            Scheme = scheme.ToString().ToLowerInvariant(),
            Kernel = IntegerKernels.Get(options.Kernel).Kind.ToString(),
            Threads = options.ThreadCount,
            Phase = phase,
            Batch = batch,
            Context = phase == "decode" ? settings.Context : 0,
            Rounds = settings.Rounds,
            TokensPerSecond = batch / seconds,
            TokensPerCpuSecond = batch / cpu,
            ReferenceTokensPerSecond = theirs is null ? null : batch / Median(times[1], time => time.Wall),
            ReferenceTokensPerCpuSecond = theirs is null ? null : batch / Median(times[1], time => time.Cpu),
            ShareOfRoofline = Roofline(scheme, phase, batch, bytes, options, limits) / seconds,
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

    private List<(double Wall, double Cpu)>[] Decode(List<SteppedEngine> engines, int batch)
    {
        foreach (var engine in engines)
        {
            engine.Fill(batch, settings.Context, settings.Rounds + Spare);
        }

        return Times(engines, engine => engine.Step());
    }

    private List<(double Wall, double Cpu)>[] Prefill(List<SteppedEngine> engines, int tokens) => Times(engines, engine => engine.Prompt(tokens));

    private List<(double Wall, double Cpu)>[] Times(List<SteppedEngine> engines, Action<SteppedEngine> action)
    {
        List<(double Wall, double Cpu)>[] times = [.. engines.Select(_ => new List<(double, double)>())];
        for (var round = 0; round < settings.Rounds + WarmUp; round++)
        {
            for (var i = 0; i < engines.Count; i++)
            {
                var (start, cpu) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
                action(engines[i]);
                times[i].Add((Stopwatch.GetElapsedTime(start).TotalSeconds, (Environment.CpuUsage.TotalTime - cpu).TotalSeconds));
            }
        }

        Array.ForEach(times, list => list.RemoveRange(0, WarmUp));
        return times;
    }

    /// <summary>The least time that the machine's limits allow; null where one of them is not known.</summary>
    private double? Roofline(QuantizationScheme scheme, string phase, int batch, long weightBytes, EngineOptions options, MachineLimits limits)
    {
        if (scheme == QuantizationScheme.None || limits.ProductsPerSecond is not { } products)
        {
            return null;
        }

        var decodes = phase == "decode";
        var cache = decodes ? batch * (double)settings.Context * options.BytesPerPosition(_config) : 0;
        var layers = ModelParameters.OfLanguageModel(_config).Where(parameter => parameter.Name.Contains("proj", StringComparison.Ordinal)).Sum(parameter => parameter.Shape[0] * (double)parameter.Shape[1]);
        var head = _config.VocabularySize * (double)_config.HiddenSize;
        return Math.Max((weightBytes + cache) / limits.BytesPerSecond, ((layers * batch) + (head * (decodes ? batch : 1))) / products);
    }

    private static double Median(List<(double Wall, double Cpu)> times, Func<(double Wall, double Cpu), double> of) => times.Select(of).Order().ElementAt(times.Count / 2);
}
