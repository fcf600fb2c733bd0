using System.ComponentModel.DataAnnotations;
using Llava.ModelCore.Checkpoints;

namespace Llava.ModelCore.Engine;

/// <summary>Sizes of the engine. Defaults suit the model that ships; <see cref="Validate"/> gathers everything that is wrong.</summary>
public sealed class EngineOptions
{
    /// <summary>Configuration section these options are bound from.</summary>
    public const string SectionName = "Engine";

    /// <summary>Sequences that may run at the same time. Default 32.</summary>
    [Range(1, 1024)]
    public int MaxSlots { get; set; } = 32;

    /// <summary>Tokens one step may process, prefill and decode together. Default 4096.</summary>
    [Range(64, 262_144)]
    public int MaxStepTokens { get; set; } = 4096;

    /// <summary>Tokens of one prompt that are processed at once; a longer prompt is spread over steps. Default 1024.</summary>
    [Range(16, 65_536)]
    public int PrefillChunkTokens { get; set; } = 1024;

    /// <summary>Positions of the KV cache. Default 0: as many as <see cref="KvCacheBytes"/> hold, at least one full context, at most one per slot.</summary>
    [Range(0, 16_777_216)]
    public int KvPositions { get; set; }

    /// <summary>Bytes of the KV cache when <see cref="KvPositions"/> is 0. Default 1 GiB.</summary>
    [Range(1L << 20, 1L << 42)]
    public long KvCacheBytes { get; set; } = 1L << 30;

    /// <summary>Requests that may wait for a slot in each priority class before submission has to wait. Default 256.</summary>
    [Range(1, 1_000_000)]
    public int MaxWaiting { get; set; } = 256;

    /// <summary>Bytes of image features kept for images that come again. Default 256 MiB; 0 keeps none.</summary>
    [Range(0, 1L << 40)]
    public long FeatureCacheBytes { get; set; } = 256L << 20;

    /// <summary>Prompt prefixes (system prompt and image) whose keys and values are kept for further questions. Default 64; 0 shares none.</summary>
    [Range(0, 65_536)]
    public int PrefixCacheEntries { get; set; } = 64;

    /// <summary>Everything that is wrong with these options; empty when they can be used.</summary>
    public IReadOnlyList<string> Validate()
    {
        List<ValidationResult> results = [];
        Validator.TryValidateObject(this, new ValidationContext(this), results, validateAllProperties: true);
        List<string> findings = [.. results.Select(r => $"{SectionName}: {r.ErrorMessage}")];
        if ((long)MaxSlots + PrefillChunkTokens > MaxStepTokens)
        {
            findings.Add(FormattableString.Invariant(
                $"{SectionName}:{nameof(MaxStepTokens)} is {MaxStepTokens}, {nameof(MaxSlots)} {MaxSlots} and {nameof(PrefillChunkTokens)} {PrefillChunkTokens}. A step holds one token per slot and one chunk, so raise {nameof(MaxStepTokens)} or lower one of the others."));
        }

        return findings;
    }

    /// <summary>Positions the KV cache gets for a model, in float32.</summary>
    internal int KvPositionsFor(LanguageModelConfig model)
    {
        if (KvPositions > 0)
        {
            return KvPositions;
        }

        var context = (long)ExtentAllocator.Rounded(LanguageModelPositions.Limit(model));
        return (int)Math.Min(Math.Clamp(KvCacheBytes / KvArena.BytesPerPosition(model), context, context * MaxSlots), int.MaxValue);
    }
}
