using System.Text.Json;
using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Imaging;
using Llava.ModelCore.Training.Optimizers;

namespace Llava.ModelCore.Training.Scenes;

/// <summary>Everything a run of <see cref="SceneTraining"/> depends on; read from a JSON file such as <c>recipes/llava-scenes.json</c>.</summary>
public sealed record SceneRecipe
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        ReadCommentHandling = JsonCommentHandling.Skip,
        UnmappedMemberHandling = System.Text.Json.Serialization.JsonUnmappedMemberHandling.Disallow,
        WriteIndented = true,
    };

    /// <summary>Seed of the initial weights. Default 1.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Most objects in a scene, 1 to 9. Default 4.</summary>
    public int MaxObjects { get; init; } = 4;

    /// <summary>Pieces of the tokenizer; nearly every word of the scenes' language should be one. Default 768.</summary>
    public int VocabularySize { get; init; } = 768;

    /// <summary>The vision tower.</summary>
    public TransformerSizes Tower { get; init; } = new() { HiddenSize = 192, IntermediateSize = 768, Layers = 6, Heads = 3 };

    /// <summary>The language model.</summary>
    public TransformerSizes Language { get; init; } = new() { HiddenSize = 256, IntermediateSize = 688, Layers = 4, Heads = 4 };

    /// <summary>The tower's own pre-training.</summary>
    public SceneStage Pretraining { get; init; } = new() { Steps = 5000, BatchSize = 32, LearningRate = 1.5e-3, Levels = [6] };

    /// <summary>Alignment and instruction tuning, with the tower frozen.</summary>
    public SceneStage Instruction { get; init; } = new() { Steps = 8000, BatchSize = 16, LearningRate = 1e-3, Levels = [2, 3, 4] };

    /// <summary>Tokens of text per training image. Default 150.</summary>
    public int TextBudget { get; init; } = 150;

    /// <summary>Share of the training images whose questions form one conversation of several turns. Default 0.1.</summary>
    public double ConversationShare { get; init; } = 0.1;

    /// <summary>Weight of the labels of mentioned objects beside the answers' own loss. Default 0.2.</summary>
    public double MentionWeight { get; init; } = 0.2;

    /// <summary>Optimizer steps between two snapshots. Default 250.</summary>
    public int SnapshotEvery { get; init; } = 250;

    /// <summary>Sizes of the model that the recipe makes.</summary>
    public LlavaConfig ModelConfig() => new()
    {
        LanguageModel = new LanguageModelConfig
        {
            VocabularySize = VocabularySize,
            HiddenSize = Language.HiddenSize,
            IntermediateSize = Language.IntermediateSize,
            Layers = Language.Layers,
            Heads = Language.Heads,
            KeyValueHeads = Language.Heads,
            NormEpsilon = 1e-5,
            MaxPositions = 2048,
        },
        Vision = new VisionConfig
        {
            HiddenSize = Tower.HiddenSize,
            IntermediateSize = Tower.IntermediateSize,
            Layers = Tower.Layers,
            Heads = Tower.Heads,
            ImageSize = 112,
            PatchSize = 14,
            SelectLayer = -1,
        },
        Projector = new ProjectorConfig { InputSize = Tower.HiddenSize, OutputSize = Language.HiddenSize, Depth = 2 },
        ImageAspect = ImageAspect.Pad,
        VisionTowerName = "vision_tower",
    };

    /// <summary>Reads and checks a recipe.</summary>
    /// <exception cref="SceneTrainingException">The file is missing, is not such a JSON, or holds values out of range; all findings are named.</exception>
    public static SceneRecipe Load(string path)
    {
        SceneRecipe recipe;
        try
        {
            recipe = JsonSerializer.Deserialize<SceneRecipe>(File.ReadAllBytes(path), Json)
                ?? throw new SceneTrainingException($"'{path}' holds null instead of a recipe.");
        }
        catch (Exception e) when (e is IOException or JsonException or UnauthorizedAccessException)
        {
            throw new SceneTrainingException($"The recipe '{path}' cannot be read: {e.Message}", e);
        }

        string[] findings = [.. recipe.Findings()];
        return findings.Length == 0
            ? recipe
            : throw new SceneTrainingException($"The recipe '{path}' cannot be used: {string.Join(" ", findings)}");
    }

    private IEnumerable<string> Findings()
    {
        if (MaxObjects is < 1 or > 9)
        {
            yield return $"maxObjects is {MaxObjects}; it must be 1 to 9.";
        }

        if (VocabularySize is < 400 or > 32000)
        {
            yield return $"vocabularySize is {VocabularySize}; it must be 400 to 32000.";
        }

        if (TextBudget < 100)
        {
            yield return $"textBudget is {TextBudget}; a detailed caption alone needs 100 tokens.";
        }

        if (ConversationShare is < 0 or > 1)
        {
            yield return $"conversationShare is {ConversationShare}; it must be 0 to 1.";
        }

        if (MentionWeight < 0)
        {
            yield return $"mentionWeight is {MentionWeight}; it must not be negative.";
        }

        if (SnapshotEvery < 1)
        {
            yield return $"snapshotEvery is {SnapshotEvery}; it must be at least 1.";
        }

        foreach (var finding in Tower.Findings("tower").Concat(Language.Findings("language"))
            .Concat(Pretraining.Findings("pretraining")).Concat(Instruction.Findings("instruction")))
        {
            yield return finding;
        }
    }
}

/// <summary>Sizes of a transformer.</summary>
public sealed record TransformerSizes
{
    /// <summary>Width of the residual stream.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Width of the MLP.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Layers.</summary>
    public required int Layers { get; init; }

    /// <summary>Attention heads.</summary>
    public required int Heads { get; init; }

    internal IEnumerable<string> Findings(string name)
    {
        if (HiddenSize < 1 || IntermediateSize < 1 || Layers < 1 || Heads < 1)
        {
            yield return $"{name}: every size must be at least 1.";
        }
        else if (HiddenSize % (2 * Heads) != 0)
        {
            yield return $"{name}: hiddenSize {HiddenSize} must be a multiple of twice the {Heads} heads.";
        }
    }
}

/// <summary>One stage: AdamW with (0.9, 0.98), warm-up, constant rate, linear decay to 0.</summary>
public sealed record SceneStage
{
    /// <summary>Optimizer steps.</summary>
    public required int Steps { get; init; }

    /// <summary>Images per step.</summary>
    public required int BatchSize { get; init; }

    /// <summary>Learning rate after warm-up.</summary>
    public required double LearningRate { get; init; }

    /// <summary>Steps of warm-up. Default 150.</summary>
    public int WarmupSteps { get; init; } = 150;

    /// <summary>Share of the steps, at the end, over which the rate falls to 0. Default 0.28.</summary>
    public double DecayShare { get; init; } = 0.28;

    /// <summary>Decoupled weight decay, on matrices only. Default 0.05.</summary>
    public double WeightDecay { get; init; } = 0.05;

    /// <summary>Most objects per scene at each level of the curriculum.</summary>
    public required IReadOnlyList<int> Levels { get; init; }

    /// <summary>Running accuracy of the predicted tokens at which the next level begins. Default 0.96.</summary>
    public double AdvanceAt { get; init; } = 0.96;

    /// <summary>Fewest steps on a level. Default 300.</summary>
    public int MinLevelSteps { get; init; } = 300;

    internal LearningRateSchedule Schedule => new()
    {
        Steps = Steps,
        WarmupSteps = WarmupSteps,
        Shape = LearningRateShape.ConstantThenLinear,
        DecayShare = DecayShare,
    };

    internal IEnumerable<string> Findings(string name)
    {
        if (Steps < 1 || BatchSize < 1 || LearningRate <= 0 || WarmupSteps < 0 || MinLevelSteps < 1)
        {
            yield return $"{name}: steps, batchSize, learningRate and minLevelSteps must be positive.";
        }

        if (DecayShare is <= 0 or > 1 || AdvanceAt is <= 0 or > 1 || WeightDecay < 0)
        {
            yield return $"{name}: decayShare and advanceAt must be above 0 and at most 1, weightDecay not negative.";
        }

        if (Levels.Count == 0 || Levels.Any(l => l is < 1 or > 9))
        {
            yield return $"{name}: levels must hold numbers of objects from 1 to 9.";
        }
    }
}

/// <summary>A run of scene training cannot start or go on.</summary>
public sealed class SceneTrainingException(string message, Exception? inner = null) : LlavaException(message, isRetryable: false, inner);
