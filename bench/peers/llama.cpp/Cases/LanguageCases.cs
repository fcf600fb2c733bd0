using Llava.Benchmarks.LlamaCpp.Gguf;
using Llava.Benchmarks.LlamaCpp.Peer;
using Llava.ModelCore.Engine;
using Llava.ModelCore.Evaluation.Speed;
using Llava.ModelCore.Models;
using Llava.ModelCore.Quantization;

namespace Llava.Benchmarks.LlamaCpp.Cases;

/// <summary>The language model alone: a prompt, and decoding with 1, 8 and 32 sequences; 8 bits against Q8_0, 4 against Q4_0.</summary>
internal sealed class LanguageCases(PeerSettings settings, PeerFigures figures, MachineLimits limits, LlamaThreads threads)
{
    private const int StepsPerRound = 4;

    // Steps that are not measured, and room to round to blocks.
    private const int Spare = 16;

    // Both round to 8 or 4 bits, in ways of their own; another model's logits would have nothing in common.
    private const double LeastCosine = 0.9;

    private static readonly (QuantizationScheme Ours, GgmlType Theirs)[] Schemes = [(QuantizationScheme.Int8, GgmlType.Q8_0), (QuantizationScheme.Int4, GgmlType.Q4_0)];

    private int Steps => settings.Rounds * StepsPerRound;

    /// <summary>Measures one shape.</summary>
    public void Run(string shape)
    {
        RandomWeights random = new(new() { LanguageModel = BenchmarkShape.All[shape] });
        foreach (var (ours, theirs) in Schemes)
        {
            Run(shape, random, ours, theirs);
        }
    }

    private void Run(string shape, RandomWeights random, QuantizationScheme scheme, GgmlType type)
    {
        var (slots, positions) = (settings.Batches.Max(), ExtentAllocator.Rounded(Math.Max(settings.PromptTokens, settings.Context) + Steps + Spare));
        var config = random.Config.LanguageModel;
        EngineOptions options = new() { MaxSlots = slots, Runner = RunnerKind.Cpu, Quantize = scheme, Threads = settings.Threads, KvPositions = (slots + 1) * positions, PrefixCacheEntries = 1 };
        var weights = random.Pack(scheme, settings.Threads);
        var bytes = weights.Bytes - weights.Embeddings.Bytes;
        float[] logits = [];
        using LlavaModel images = new(random.Config, hasLanguage: false);
        CpuRunner? runner = null;
        using SteppedEngine ours = new(random.Config, options, arena => runner = new CpuRunner(images, weights, options, arena, TimeProvider.System));
        var file = Path.Combine(settings.Work, $"{shape}-{type}.gguf");
        LlamaWeights.Save(random, type, file);
        using LlamaEngine theirs = new(file, config.VocabularySize, slots, positions, threads);
        File.Delete(file);
        int[] prompt = [.. Enumerable.Range(1, 40).Select(i => i * 701 % config.VocabularySize)];
        runner!.Sampled = (_, row) => logits = row.ToArray();
        ours.Answer([new() { PromptTokens = prompt, Sampling = new() { MaxNewTokens = 1 } }]);
        runner.Sampled = null;
        RequireSame(logits, theirs.Logits(prompt), shape, type);

        var names = (scheme.ToString().ToLowerInvariant(), type.ToString());
        Roofline roofline = new(config, limits);
        figures.Measure(
            $"prefill {settings.PromptTokens}", shape, names, "tokens", settings.PromptTokens, settings.Rounds, roofline.Seconds(bytes, 0, settings.PromptTokens, 1),
            () => ours.Prompt(settings.PromptTokens), () => theirs.Prompt(settings.PromptTokens));
        foreach (var batch in settings.Batches)
        {
            ours.Fill(batch, settings.Context, Steps + Spare);
            theirs.Fill(batch, settings.Context);
            var cache = (double)batch * settings.Context * options.BytesPerPosition(config);
            figures.Measure($"decode {batch}", shape, names, "tokens", batch, Steps, roofline.Seconds(bytes, cache, batch, batch), ours.Step, theirs.Step);
            ours.Clear();
        }
    }

    private static void RequireSame(float[] ours, float[] theirs, string shape, GgmlType type)
    {
        var cosine = Vectors.Cosine(ours, theirs);
        if (cosine < LeastCosine)
        {
            throw new InvalidOperationException($"Ours and llama.cpp compute different models: the cosine of their logits is {cosine:0.000} ({shape}, {type}).");
        }
    }
}
