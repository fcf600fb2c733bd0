using System.Diagnostics;
using Llava.Benchmarks.LlamaCpp.Gguf;
using Llava.Benchmarks.LlamaCpp.Peer;
using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Engine;
using Llava.ModelCore.Evaluation.Speed;
using Llava.ModelCore.Models;
using Llava.ModelCore.Quantization;
using Llava.ModelCore.Tokenization;

namespace Llava.Benchmarks.LlamaCpp.Cases;

/// <summary>ViT-L/14-336 with a projector before a language model in 4 bits: an image alone, captions of eight images, and five questions on one image.</summary>
internal sealed class ImageCases : IDisposable
{
    private const int Captions = 8;
    private const int CaptionTokens = 64;
    private const int PromptTokens = 24;
    private const int Questions = 5;
    private const int AnswerTokens = 16;

    // What the formats leave of a direction; another tower's features would have nothing in common.
    private const double LeastCosine = 0.98;

    private static readonly GgmlType[] TowerTypes = [GgmlType.F32, GgmlType.F16, GgmlType.BF16, GgmlType.Q8_0];

    private readonly PeerSettings _settings;
    private readonly PeerFigures _figures;
    private readonly MachineLimits _limits;
    private readonly LlamaThreads _threads;
    private readonly string _shape;
    private readonly Random _random = new(1);
    private readonly LlavaConfig _config;
    private readonly RandomWeights _weights;
    private readonly LlavaModel _model;
    private readonly LlamaTower _tower;
    private readonly EngineOptions _options;
    private PackedTower? _packed;

    public ImageCases(PeerSettings settings, PeerFigures figures, MachineLimits limits, LlamaThreads threads, string shape)
    {
        (_settings, _figures, _limits, _threads, _shape) = (settings, figures, limits, threads, shape);
        var language = BenchmarkShape.All[shape];
        var vision = VisionConfigReader.LargePatch14At336;
        _config = new() { LanguageModel = language, Vision = vision, Projector = new() { InputSize = vision.HiddenSize, OutputSize = language.HiddenSize, Depth = 2 } };
        _weights = new(_config);
        _model = _weights.Model(hasLanguage: false);
        _options = new()
        {
            MaxSlots = Captions,
            Runner = RunnerKind.Cpu,
            Quantize = QuantizationScheme.Int4,
            Threads = settings.Threads,
            KvPositions = 2 * Captions * ExtentAllocator.Rounded(vision.Features + PromptTokens + CaptionTokens),
        };
        _tower = Fastest();
    }

    /// <summary>One image through tower and projector: exact, as with weights that are not quantized, and in 16 bits, as with those that are.</summary>
    public void RunVision()
    {
        using ImageFeatures ours = new(_model, 0);
        Measure("float32", null);
        _packed ??= PackedTower.Pack(_model, _options);
        Measure("int16", ImageSeconds);

        void Measure(string weights, double? roofline) => _figures.Measure(
            "image", "ViT-L/14-336", (weights, _tower.Type.ToString()), "images", 1, _settings.Rounds, roofline, () => EncodeOurs(ours, new()), () => _tower.Encode(Pixels()));
    }

    /// <summary>Captions of eight images, from pixels to the last token, and questions on one image or five.</summary>
    public void RunAnswers()
    {
        _packed ??= PackedTower.Pack(_model, _options);
        var weights = _weights.Pack(QuantizationScheme.Int4, _settings.Threads);
        var bytes = weights.Bytes - weights.Embeddings.Bytes;
        using SteppedEngine ours = new(_config, _options, positions => new CpuRunner(_model, weights, _options, positions, TimeProvider.System));
        if (_settings.Groups.Contains("captions"))
        {
            RunCaptions(ours, bytes);
        }

        if (_settings.Groups.Contains("questions"))
        {
            RunQuestions(ours);
        }
    }

    public void Dispose()
    {
        _tower.Dispose();
        _packed?.Dispose();
        _model.Dispose();
    }

    private void RunCaptions(SteppedEngine ours, long bytes)
    {
        var language = _config.LanguageModel;
        var file = Path.Combine(_settings.Work, $"{_shape}-captions.gguf");
        LlamaWeights.Save(_weights, GgmlType.Q4_0, file);
        var positions = _config.Vision!.Features + PromptTokens + CaptionTokens;
        using LlamaEngine theirs = new(file, language.VocabularySize, Captions, ExtentAllocator.Rounded(positions), _threads);
        File.Delete(file);
        _figures.Measure(
            "captions 8", $"{_shape} with ViT-L/14-336", ("int4", $"Q4_0 with {_tower.Type}"), "images", Captions, Math.Max(1, _settings.Rounds / 3), CaptionSeconds(bytes),
            () => ours.Answer(Enumerable.Range(0, Captions).Select(_ => Request(Picture(), CaptionTokens))),
            () => theirs.Answer(_ => _tower.EncodeWithThreads(Pixels()), Captions, language.HiddenSize, PromptTokens, CaptionTokens));
    }

    /// <summary>What the machine's limits allow for an image's products of 16 bits, which take twice as long as those of 8.</summary>
    private double? ImageSeconds => _limits.ProductsPerSecond is { } products
        ? 2 * _weights.Config.Vision!.Patches / products * ModelParameters.Of(_config).Where(IsOfImages).Sum(parameter => parameter.Shape.Aggregate(1.0, (count, size) => count * size))
        : null;

    private double? CaptionSeconds(long bytes)
    {
        Roofline roofline = new(_config.LanguageModel, _limits);
        var prompt = _config.Vision!.Features + PromptTokens;
        var cache = (double)Captions * prompt * _options.BytesPerPosition(_config.LanguageModel);
        return (Captions * (ImageSeconds + roofline.Seconds(bytes, 0, prompt, 1))) + (CaptionTokens * roofline.Seconds(bytes, cache, Captions, Captions));
    }

    private static bool IsOfImages(ModelParameter parameter) => parameter.Shape.Count == 2 && !parameter.Name.StartsWith(ModelParameters.LanguageModel, StringComparison.Ordinal);

    /// <summary>Ours against ours: what sharing an image's positions saves.</summary>
    private void RunQuestions(SteppedEngine ours)
    {
        var (tokensOfOne, tokensOfFive) = (0L, 0L);
        var times = Turns.Measure(
            0, Math.Max(1, _settings.Rounds / 3),
            () => tokensOfOne = Prefilled(ours, Picture() is var picture ? Enumerable.Range(0, Questions).Select(_ => Request(picture, AnswerTokens)) : []),
            () => tokensOfFive = Prefilled(ours, Enumerable.Range(0, Questions).Select(_ => Request(Picture(), AnswerTokens))));
        Figures.Write("questions", new
        {
            Case = "5 questions on one image against five images",
            Shape = $"{_shape} with ViT-L/14-336",
            Weights = "int4",
            SecondsOnOneImage = PeerFigures.Rounded(times[0].Wall),
            SecondsOnFiveImages = PeerFigures.Rounded(times[1].Wall),
            Ratio = PeerFigures.Rounded(times[1].Wall / times[0].Wall),
            RatioByProcessorTime = PeerFigures.Rounded(times[1].Cpu / times[0].Cpu),
            PrefilledOnOneImage = tokensOfOne,
            PrefilledOnFiveImages = tokensOfFive,
            RatioOfPrefilled = PeerFigures.Rounded((double)tokensOfFive / tokensOfOne),
        });
    }

    private static long Prefilled(SteppedEngine engine, IEnumerable<SequenceRequest> requests)
    {
        var before = engine.Statistics.PrefillTokens;
        engine.Answer(requests);
        return engine.Statistics.PrefillTokens - before;
    }

    /// <summary>Their tower in the file type that is fastest on this machine; all are compared with ours first.</summary>
    private LlamaTower Fastest()
    {
        var pixels = Pixels();
        using ImageFeatures features = new(_model, 0);
        var expected = EncodeOurs(features, new(), pixels);
        return new(_weights, TowerTypes.MinBy(type => SecondsOf(type, pixels, expected)), _threads);
    }

    private double SecondsOf(GgmlType type, float[] pixels, float[] expected)
    {
        using LlamaTower tower = new(_weights, type, _threads);
        var cosine = Vectors.Cosine(expected, tower.Encode(pixels));
        if (cosine < LeastCosine)
        {
            throw new InvalidOperationException($"Ours and llama.cpp compute different towers: the cosine of their features is {cosine:0.000} ({type}).");
        }

        var start = Stopwatch.GetTimestamp();
        tower.Encode(pixels);
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        Console.Error.WriteLine($"llama.cpp's tower in {type}: {seconds:0.00} s, cosine to ours {cosine:0.0000}");
        return seconds;
    }

    private float[] EncodeOurs(ImageFeatures features, StepOutcome outcome, float[]? pixels = null)
    {
        using var mode = TorchSharp.torch.inference_mode();
        using var scope = TorchSharp.torch.NewDisposeScope();
        return [.. features.Get(new(pixels ?? Pixels(), _config.Vision!.ImageSize, "pixels"), outcome).data<float>()];
    }

    private float[] Pixels() => [.. Enumerable.Range(0, 3 * _config.Vision!.ImageSize * _config.Vision.ImageSize).Select(_ => (_random.NextSingle() * 4) - 2)];

    private ImageInput Picture() => new(Pixels(), _config.Vision!.ImageSize);

    private SequenceRequest Request(ImageInput picture, int answer) => new()
    {
        PromptTokens = [ImagePlaceholder.TokenId, .. Enumerable.Range(0, PromptTokens).Select(_ => _random.Next(3, _config.LanguageModel.VocabularySize))],
        Images = [picture],
        Sampling = new() { MaxNewTokens = answer },
    };
}
