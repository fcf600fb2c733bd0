using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Engine;

namespace Llava.ModelCore.Tests.Engine;

/// <summary>Small configurations and made-up requests.</summary>
internal static class Requests
{
    public const int Image = -200;

    /// <summary>A model small enough for thousands of steps: four features per image, grouped-query attention.</summary>
    public static LlavaConfig Config(RopeScaling? scaling = null, int maxPositions = 512) => new()
    {
        LanguageModel = new LanguageModelConfig
        {
            VocabularySize = 97,
            HiddenSize = 48,
            IntermediateSize = 80,
            Layers = 2,
            Heads = 6,
            KeyValueHeads = 2,
            MaxPositions = maxPositions,
            RopeScaling = scaling,
        },
        Vision = new VisionConfig { HiddenSize = 24, IntermediateSize = 40, Layers = 2, Heads = 2, ImageSize = 16, PatchSize = 8 },
        Projector = new ProjectorConfig { InputSize = 24, OutputSize = 48, Depth = 2 },
    };

    public static SequenceRequest Text(Random random, int tokens, int maxNewTokens, RequestPriority priority = RequestPriority.Bulk) => new()
    {
        PromptTokens = Words(random, tokens),
        Sampling = new SamplingSettings { MaxNewTokens = maxNewTokens },
        Priority = priority,
    };

    /// <summary>One question on one image: system prompt, image, question.</summary>
    public static SequenceRequest Question(Random random, ImageInput image, int tokens, int maxNewTokens) => new()
    {
        PromptTokens = [1, 2, 3, 4, 5, Image, .. Words(random, tokens)],
        Images = [image],
        Sampling = new SamplingSettings { MaxNewTokens = maxNewTokens },
    };

    public static ImageInput Picture(Random random, int side = 16) =>
        new([.. Enumerable.Range(0, 3 * side * side).Select(_ => (float)((random.NextDouble() * 4) - 2))], side);

    public static int[] Words(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => random.Next(3, 97))];

    public static Sequence ToSequence(this SequenceRequest request, LlavaConfig? config = null) =>
        new(request, PromptLayout.Of(request, config ?? Config()));
}
