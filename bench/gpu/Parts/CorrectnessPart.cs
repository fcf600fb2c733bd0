using Llava.ModelCore.Engine;
using Llava.ModelCore.Engine.Cuda;
using Llava.ModelCore.Evaluation.Speed;
using Llava.ModelCore.Native.Shim;
using Llava.ModelCore.Quantization;
using static TorchSharp.torch;

namespace Llava.Benchmarks.Gpu.Parts;

/// <summary>
/// The gate: a model of two layers on the device, in every form of the runner, beside the reference in float32 on the processor, with the same weights and forced to the same tokens; then the tokens that it chooses by itself; then many steps, after
/// which as much memory has to be free as before.
/// </summary>
internal sealed class CorrectnessPart : BenchPart
{
    // Random layers pass rounding on many times stronger than trained ones do.
    public const double Noise = 0.05;
    // The same of eight bits.
    private const double Fp8Noise = 0.2;
    private const int Requests = 6;
    private const int Tokens = 8;
    private const long Tolerated = 64 << 20;

    public override string Name => "correctness";

    public override int Budget => 60;

    public override bool IsGate => true;

    public override void Run(BenchSettings settings, BenchLines lines, PartTime time)
    {
        Product(settings);
        if (settings.Open is null)
        {
            lines.Write("forms", new { Form = "none: no device, and the reference is what would be compared with" });
            return;
        }

        RandomWeights weights = new(settings.Sizes.Checked);
        var positions = settings.Sizes.Checked.Vision!.Features + settings.Sizes.Words + Requests + Tokens;
        // The same numbers as the reference's, which has no others.
        BenchSettings processor = settings with { Open = null, Device = CPU };
        using MeasuredEngine reference = new(processor, settings.Sizes.Checked, new(), Requests, positions, weights.Read);
        var requests = Enumerable.Range(0, Requests).Select(i => reference.Request(reference.Picture(), settings.Sizes.Words + i, Tokens)).ToArray();
        var expected = Logits(reference.Engine, requests, forced: null);
        var said = expected.Select(rows => rows.Select(Best).ToArray()).ToArray();
        foreach (var (form, options, scheme, noise) in settings.HasFp8() ? [.. Forms, .. Fp8Forms] : Forms)
        {
            time.Require();
            using MeasuredEngine engine = new(settings, settings.Sizes.Checked, options, Requests / 2, positions, weights.Read, scheme);
            var actual = Logits(engine.Engine, requests, said);
            var worst = expected.Zip(actual).SelectMany(pair => pair.First.Zip(pair.Second, Distance)).Max();
            var agreeing = expected.Zip(actual).SelectMany(pair => pair.First.Zip(pair.Second)).Count(rows => Best(rows.First) == Best(rows.Second) || Margin(rows.First) < noise);
            var holds = worst <= noise && agreeing == Requests * Tokens;
            lines.Write("forms", new { Form = form, WorstRelativeError = worst, Rows = Requests * Tokens, RowsWithTheReferencesToken = agreeing, Holds = holds });
            // What is wrong in eight bits is told; everything else is measured in sixteen.
            if (!holds && scheme == QuantizationScheme.None)
            {
                throw new InvalidOperationException($"The form '{form}' is off by {worst:0.###} of a row's size, where its rounding explains {noise}, and {agreeing} of {Requests * Tokens} rows choose the reference's token.");
            }
        }

        new GreedyGate(settings, requests[..(Requests - 2)], Requests / 2, positions, weights.Read).Run(lines, time, Noise, Choosing);
        Steady(settings, lines, time, positions);
    }

    private static IEnumerable<(string Name, CudaOptions Options, QuantizationScheme Scheme, double Noise)> Forms =>
    [
        ("torch's operations, plain attention", new() { FusedElements = false, FusedRotary = false, DecodeAttention = false, FlashAttention = false, DeviceSampling = false }, QuantizationScheme.None, Noise),
        ("flash attention over extents", new() { FusedElements = false, FusedRotary = false, DecodeAttention = false, DeviceSampling = false }, QuantizationScheme.None, Noise),
        ("our attention of rows that decode", new() { FusedElements = false, FusedRotary = false, DeviceSampling = false }, QuantizationScheme.None, Noise),
        ("our rotation", new() { FusedElements = false, DeviceSampling = false }, QuantizationScheme.None, Noise),
        ("our elements", new() { DeviceSampling = false }, QuantizationScheme.None, Noise),
    ];

    private static IEnumerable<(string Name, CudaOptions Options, QuantizationScheme Scheme, double Noise)> Fp8Forms =>
    [
        ("fp8", new() { DeviceSampling = false }, QuantizationScheme.Fp8, Fp8Noise),
        ("fp8, keys and values too", new() { KvCache = KvCacheType.Fp8, DeviceSampling = false }, QuantizationScheme.Fp8, Fp8Noise),
    ];

    /// <summary>Who chooses the tokens, when they are read, and how launches reach the device.</summary>
    private static IEnumerable<(string Name, CudaOptions Options)> Choosing =>
    [
        ("sampling on the device", new() { LateTokens = false, GraphRows = 0 }),
        ("tokens that are read late", new() { GraphRows = 0 }),
        ("graphs", new()),
    ];

    private static void Product(BenchSettings settings)
    {
        using var scope = NewDisposeScope();
        var (left, right, output) = (randn([33, 64], ScalarType.Float32, settings.Device), randn([64, 17], ScalarType.Float32, settings.Device), zeros(33, 17, ScalarType.Float32, settings.Device));
        StableShim.MultiplyInto(output.Handle, left.Handle, right.Handle, settings.Device.type == TorchSharp.DeviceType.CUDA);
        if (!output.cpu().allclose(left.cpu().mm(right.cpu()), 1e-2, 1e-2))
        {
            throw new InvalidOperationException("The product by the stable interface is not that of the processor.");
        }
    }

    /// <summary>Logits of every row that samples, by request.</summary>
    private static float[][][] Logits(SteppedEngine engine, SequenceRequest[] requests, int[][]? forced)
    {
        Dictionary<SequenceRequest, List<float[]>> rows = new(ReferenceEqualityComparer.Instance);
        SequenceRequest[] asked = [.. requests.Select((request, i) => request with { Forced = forced?[i] })];
        engine.Sampled = (sequence, logits) =>
        {
            if (!rows.TryGetValue(sequence.Request, out var own))
            {
                rows.Add(sequence.Request, own = []);
            }

            own.Add(logits.ToArray());
        };
        engine.Answer(asked);
        engine.Sampled = null;
        return [.. asked.Select(request => rows[request].ToArray())];
    }

    /// <summary>Steps of full slots; what torch keeps for later is there after the first of them.</summary>
    private static void Steady(BenchSettings settings, BenchLines lines, PartTime time, int positions)
    {
        using MeasuredEngine engine = new(settings, settings.Sizes.Checked, new(), Requests, positions);
        using var probe = settings.Open!();
        var (steps, free) = (0L, 0L);
        while (steps < settings.Sizes.SteadySteps && time.Left > 0)
        {
            engine.Answer(2 * Requests, questions: 1, settings.Sizes.Words, Tokens);
            settings.Synchronize();
            free = steps == 0 ? probe.FreeBytes() : free;
            steps = engine.Engine.Statistics.Steps;
        }

        var lost = free - probe.FreeBytes();
        lines.Write("steady memory", new { Steps = steps, BytesLost = lost });
        if (lost > Tolerated)
        {
            throw new InvalidOperationException($"{lost / 1e6:0} MB of the device were lost in {steps} steps.");
        }
    }

    private static double Distance(float[] expected, float[] actual)
    {
        var (difference, size) = (0.0, 0.0);
        for (var i = 0; i < expected.Length; i++)
        {
            (difference, size) = (difference + Math.Pow(expected[i] - actual[i], 2), size + Math.Pow(expected[i], 2));
        }

        return Math.Sqrt(difference / size);
    }

    private static int Best(float[] logits) => Array.IndexOf(logits, logits.Max());

    /// <summary>How far the best token is before the second, as a share of the row's size.</summary>
    private static double Margin(float[] logits) => logits.OrderDescending().Take(2).ToArray() is [var first, var second]
        ? (first - second) / Math.Sqrt(logits.Average(value => (double)value * value))
        : double.PositiveInfinity;
}
