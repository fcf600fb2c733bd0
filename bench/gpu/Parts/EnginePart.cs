using System.Diagnostics;
using Llava.ModelCore.Engine.Cuda;
using Llava.ModelCore.Quantization;

namespace Llava.Benchmarks.Gpu.Parts;

/// <summary>Our engine: stages switched on one after the other, eight bits behind them where the device has them, then every length of answers with all of them, then five questions on an image.</summary>
internal sealed class EnginePart : BenchPart
{
    private const int Questions = 5;
    private const int ShortAnswer = 16;

    public override string Name => "engine";

    public override int Budget => 170;

    public override void Run(BenchSettings settings, BenchLines lines, PartTime time)
    {
        foreach (var model in settings.Sizes.Models)
        {
            foreach (var (stage, options, scheme) in settings.HasFp8() ? [.. Stages(settings), .. Fp8Stages] : Stages(settings))
            {
                time.Require();
                Measure(settings, lines, model, stage, options, settings.Sizes.StageTokens, scheme: scheme);
            }

            foreach (var tokens in settings.Sizes.AnswerTokens.Where(tokens => tokens != settings.Sizes.StageTokens))
            {
                time.Require();
                Measure(settings, lines, model, Everything, new(), tokens);
            }

            time.Require();
            MeasureQuestions(settings, lines, model);
        }
    }

    /// <summary>Name of the stage with everything on.</summary>
    public const string Everything = "everything";

    /// <summary>What is switched on, the last with everything; without a device there is only the reference.</summary>
    private static IEnumerable<(string Stage, CudaOptions Options, QuantizationScheme Scheme)> Stages(BenchSettings settings) => settings.Open is null ? [(Everything, new(), QuantizationScheme.None)] :
    [
        ("packed prompts, flash attention, torch's operations", new() { FusedElements = false, FusedRotary = false, DecodeAttention = false, DeviceSampling = false }, QuantizationScheme.None),
        ("sampling on the device", new() { FusedElements = false, FusedRotary = false, DecodeAttention = false, LateTokens = false }, QuantizationScheme.None),
        ("our attention of rows that decode", new() { FusedElements = false, FusedRotary = false, LateTokens = false }, QuantizationScheme.None),
        ("our rotation", new() { FusedElements = false, LateTokens = false }, QuantizationScheme.None),
        ("our elements", new() { LateTokens = false }, QuantizationScheme.None),
        (Everything, new(), QuantizationScheme.None),
    ];

    /// <summary>What changes answers, and so is none of everything.</summary>
    private static IEnumerable<(string Stage, CudaOptions Options, QuantizationScheme Scheme)> Fp8Stages =>
    [
        ("fp8", new(), QuantizationScheme.Fp8),
        ("fp8, keys and values too", new() { KvCache = KvCacheType.Fp8 }, QuantizationScheme.Fp8),
    ];

    /// <summary>Measures one stage and length.</summary>
    public static void Measure(BenchSettings settings, BenchLines lines, BenchModel model, string stage, CudaOptions options, int tokens, string benchmark = "engine", QuantizationScheme scheme = QuantizationScheme.None)
    {
        var sizes = settings.Sizes;
        using MeasuredEngine engine = new(settings, model.Config, options, sizes.Slots, model.PromptPositions(sizes.Words) + tokens, scheme: scheme);
        engine.Answer(Math.Min(sizes.Images, sizes.Slots), questions: 1, sizes.Words, Math.Min(tokens, 2));
        settings.Synchronize();
        var (before, start) = (engine.Engine.Statistics, Stopwatch.GetTimestamp());
        engine.Answer(sizes.Images, questions: 1, sizes.Words, tokens);
        settings.Synchronize();
        var (seconds, after) = (Stopwatch.GetElapsedTime(start).TotalSeconds, engine.Engine.Statistics);
        lines.Write(benchmark, new
        {
            Model = model.Name,
            Stage = stage,
            AnswerTokens = tokens,
            sizes.Images,
            sizes.Slots,
            PromptPositions = model.PromptPositions(sizes.Words),
            ImagesPerSecond = sizes.Images / seconds,
            MillisecondsOfPromptsPerImage = (after.PrefillTime - before.PrefillTime).TotalMilliseconds / sizes.Images,
            MillisecondsPerDecodingStep = (after.DecodeTime - before.DecodeTime).TotalMilliseconds / Math.Max(1, after.DecodeSteps - before.DecodeSteps),
            BatchFill = (after.DecodeTokens - before.DecodeTokens) / (double)Math.Max(1, (after.DecodeSteps - before.DecodeSteps) * sizes.Slots),
            GigabytesUsed = UsedBytes(settings) / 1e9,
        });
    }

    private static void MeasureQuestions(BenchSettings settings, BenchLines lines, BenchModel model)
    {
        var (sizes, tokens) = (settings.Sizes, Math.Min(ShortAnswer, settings.Sizes.StageTokens));
        using MeasuredEngine engine = new(settings, model.Config, new(), sizes.Slots, model.PromptPositions(sizes.Words) + tokens);
        engine.Answer(sizes.Slots, questions: 1, sizes.Words, 2);
        var images = Math.Max(1, sizes.Images / Questions);
        var (shared, apart) = (Seconds(images, Questions), Seconds(images * Questions, 1));
        lines.Write("questions", new { Model = model.Name, Images = images, Questions, AnswerTokens = tokens, SecondsOnOneImageEach = shared, SecondsOnImagesOfTheirOwn = apart, Ratio = apart / shared });

        double Seconds(int pictures, int questions)
        {
            settings.Synchronize();
            var start = Stopwatch.GetTimestamp();
            engine.Answer(pictures, questions, sizes.Words, tokens);
            settings.Synchronize();
            return Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
    }

    /// <summary>Bytes of the device that are not free, whoever has them; 0 without a device.</summary>
    private static long UsedBytes(BenchSettings settings)
    {
        using var probe = settings.Open?.Invoke();
        return probe?.UsedBytes() ?? 0;
    }
}
