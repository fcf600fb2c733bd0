using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Evaluation.Speed;

namespace Llava.Benchmarks.Gpu;

/// <summary>A model that is measured; its weights are random, as speed does not depend on them.</summary>
/// <param name="Name">As in the lines.</param>
/// <param name="Config">Sizes.</param>
internal sealed record BenchModel(string Name, LlavaConfig Config)
{
    /// <summary>Positions of a prompt: an image and the words around it.</summary>
    public int PromptPositions(int words) => Config.Vision!.Features + words;
}

/// <summary>How large everything is that is measured.</summary>
internal sealed record BenchSizes
{
    /// <summary>LLaVA-1.5 as it is published, for a card of 80 GB or more.</summary>
    public static BenchSizes Full { get; } = new()
    {
        Models = [new("7b", Of(BenchmarkShape.All["7b"])), new("13b", Of(BenchmarkShape.All["7b"] with { HiddenSize = 5120, Layers = 40, Heads = 40, KeyValueHeads = 40, IntermediateSize = 13_824 }))],
        Checked = Of(BenchmarkShape.All["7b"] with { Layers = 2 }),
        AnswerTokens = [10, 64, 256],
        StageTokens = 64,
        Words = 64,
        Images = 256,
        PhotoSide = 640,
        Slots = 128,
        BaselineBatches = [8, 32, 64, 96],
        ProductRows = [1, 16, 64, 256, 10_240, 16_384],
        Square = 8192,
        CopyBytes = 4L << 30,
        SteadySteps = 10_000,
        InteractiveBatches = [1, 8],
        InteractiveSteps = 64,
        Rounds = 5,
    };

    /// <summary>The same, so small that a processor does it in seconds: to try the benchmark itself, never for figures.</summary>
    public static BenchSizes Tiny { get; } = new()
    {
        Models = [new("tiny", OfTiny)],
        Checked = OfTiny,
        AnswerTokens = [2, 4],
        StageTokens = 4,
        Words = 4,
        Images = 5,
        PhotoSide = 16,
        Slots = 3,
        BaselineBatches = [1, 2],
        ProductRows = [1, 16],
        Square = 64,
        CopyBytes = 1 << 20,
        SteadySteps = 10,
        InteractiveBatches = [1, 2],
        InteractiveSteps = 2,
        Rounds = 1,
    };

    /// <summary>Models whose speed is measured.</summary>
    public required IReadOnlyList<BenchModel> Models { get; init; }

    /// <summary>Model that is compared with the reference.</summary>
    public required LlavaConfig Checked { get; init; }

    /// <summary>Lengths of the answers.</summary>
    public required IReadOnlyList<int> AnswerTokens { get; init; }

    /// <summary>Length of the answers by which stages are compared.</summary>
    public required int StageTokens { get; init; }

    /// <summary>Tokens of a prompt beside the image's.</summary>
    public required int Words { get; init; }

    /// <summary>Images of a measurement.</summary>
    public required int Images { get; init; }

    /// <summary>Width and height of the JPEGs that are decoded and resized.</summary>
    public required int PhotoSide { get; init; }

    /// <summary>Sequences at once.</summary>
    public required int Slots { get; init; }

    /// <summary>Batches that the baseline tries.</summary>
    public required IReadOnlyList<int> BaselineBatches { get; init; }

    /// <summary>Rows of the products that are measured.</summary>
    public required IReadOnlyList<int> ProductRows { get; init; }

    /// <summary>Side of the largest product.</summary>
    public required int Square { get; init; }

    /// <summary>Bytes that are copied.</summary>
    public required long CopyBytes { get; init; }

    /// <summary>Steps after which as much memory must be free as before.</summary>
    public required int SteadySteps { get; init; }

    /// <summary>Sequences at once where somebody waits for each token.</summary>
    public required IReadOnlyList<int> InteractiveBatches { get; init; }

    /// <summary>Steps of theirs that are measured.</summary>
    public required int InteractiveSteps { get; init; }

    /// <summary>Rounds, of which the median counts.</summary>
    public required int Rounds { get; init; }

    private static LlavaConfig OfTiny => new()
    {
        LanguageModel = new() { VocabularySize = 96, HiddenSize = 64, IntermediateSize = 96, Layers = 2, Heads = 4, KeyValueHeads = 2, MaxPositions = 256 },
        Vision = new() { HiddenSize = 32, IntermediateSize = 64, Layers = 2, Heads = 2, ImageSize = 8, PatchSize = 4 },
        Projector = new() { InputSize = 32, OutputSize = 64, Depth = 2 },
    };

    private static LlavaConfig Of(LanguageModelConfig language) => new()
    {
        LanguageModel = language,
        Vision = VisionConfigReader.LargePatch14At336,
        Projector = new() { InputSize = VisionConfigReader.LargePatch14At336.HiddenSize, OutputSize = language.HiddenSize, Depth = 2 },
    };
}
