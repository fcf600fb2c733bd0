using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Engine;
using Llava.ModelCore.Engine.Cuda;
using Llava.ModelCore.Evaluation.Speed;
using Llava.ModelCore.Models;
using Llava.ModelCore.Native;
using Llava.ModelCore.Tokenization;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.Benchmarks.Gpu;

/// <summary>The real planner and the runner of a device on random weights, which are made where they are needed: a model of 13 billion would take minutes to come from the host.</summary>
internal sealed class MeasuredEngine : IDisposable
{
    private readonly LlavaConfig _config;
    private readonly EngineOptions _options;
    private readonly LlavaModel _images;
    private readonly Func<int, IStepRunner> _runner;
    private SteppedEngine? _engine;

    /// <param name="settings">Where.</param>
    /// <param name="config">The model.</param>
    /// <param name="cuda">What the runner does by itself.</param>
    /// <param name="slots">Sequences at once.</param>
    /// <param name="positions">Positions of the longest sequence.</param>
    /// <param name="read">A parameter by its name; null makes it up.</param>
    public MeasuredEngine(BenchSettings settings, LlavaConfig config, CudaOptions cuda, int slots, int positions, Func<string, Tensor>? read = null)
    {
        _config = config;
        _options = new EngineOptions
        {
            MaxSlots = slots,
            Runner = settings.Open is null ? RunnerKind.Torch : RunnerKind.Cuda,
            Cuda = cuda,
            // One more, for prefixes that are kept.
            KvPositions = (slots + 1) * ExtentAllocator.Rounded(positions),
        };
        read ??= MadeUp(settings.Device, ModelParameters.Of(config).ToDictionary(parameter => parameter.Name, parameter => parameter.Shape.ToArray()));
        _images = new LlavaModel(config, hasLanguage: settings.Open is null);
        Fill(_images, read);
        if (settings.Open is { } open)
        {
            CudaRunner.Place(_images, settings.Device);
            _runner = arena =>
            {
                var session = open();
                return new CudaRunner(session, _images, new DeviceWeights(config.LanguageModel, read, session, _options), _options, arena, TimeProvider.System);
            };
            return;
        }

        _runner = arena => new TorchRunner(_images, _options, arena, TimeProvider.System);
    }

    /// <summary>The engine, which steps when it is told to.</summary>
    public SteppedEngine Engine => _engine ??= new SteppedEngine(_config, _options, _runner);

    /// <summary>Answers questions to the last token, whatever the model would rather do; each has an image of its own.</summary>
    /// <param name="images">How many.</param>
    /// <param name="questions">Of each image.</param>
    /// <param name="words">Tokens of a question.</param>
    /// <param name="tokens">Of an answer.</param>
    public void Answer(int images, int questions, int words, int tokens) =>
        Engine.Answer([.. Enumerable.Range(0, images).Select(_ => Picture()).SelectMany(picture => Enumerable.Range(0, questions).Select(_ => Request(picture, words, tokens)))]);

    /// <summary>Instead of <see cref="Engine"/>, one that steps on a thread of its own, as a consumer's does.</summary>
    public LlavaEngine Start() => new(_config, _options, _runner, TimeProvider.System);

    /// <summary>A question about an image.</summary>
    public SequenceRequest Request(ImageInput picture, int words, int tokens) => new()
    {
        PromptTokens = [ImagePlaceholder.TokenId, .. Enumerable.Range(0, words).Select(_ => Random.Shared.Next(3, _config.LanguageModel.VocabularySize))],
        Images = [picture],
        Sampling = new() { MaxNewTokens = tokens },
    };

    /// <summary>An image that no other equals.</summary>
    public ImageInput Picture()
    {
        var side = _config.Vision!.ImageSize;
        var pixels = new float[3 * side * side];
        for (var i = 0; i < pixels.Length; i++)
        {
            pixels[i] = Random.Shared.NextSingle() - 0.5f;
        }

        return new ImageInput(pixels, side, Guid.NewGuid().ToString("N"));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _engine?.Dispose();
        _images.Dispose();
    }

    private static void Fill(LlavaModel model, Func<string, Tensor> read)
    {
        using var mode = no_grad();
        foreach (var (name, parameter) in model.named_parameters())
        {
            using var value = read(name);
            parameter.copy_(value);
        }
    }

    /// <summary>Weights that keep the size of what passes through them, so that nothing becomes infinite.</summary>
    private static Func<string, Tensor> MadeUp(Device device, Dictionary<string, long[]> shapes) => name => name.Contains("norm", StringComparison.Ordinal) && name.EndsWith("weight", StringComparison.Ordinal)
        ? ones(shapes[name], ScalarType.BFloat16, device)
        : randn(shapes[name], ScalarType.BFloat16, device).mul_(Scalars.Of(1 / Math.Sqrt(shapes[name][^1])));
}
