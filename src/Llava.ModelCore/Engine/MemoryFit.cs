using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Quantization;

namespace Llava.ModelCore.Engine;

/// <summary>A scheme that would take less memory than what was asked for.</summary>
/// <param name="Scheme">The scheme.</param>
/// <param name="Bytes">What the model would take with it.</param>
public sealed record SmallerScheme(QuantizationScheme Scheme, long Bytes);

/// <summary>What a model takes with a scheme.</summary>
/// <param name="Scheme">The scheme.</param>
/// <param name="Memory">What the model takes with it.</param>
public sealed record SchemeMemory(QuantizationScheme Scheme, ModelMemory Memory);

/// <summary>Whether a model fits into the memory there is, asked before anything of it is loaded.</summary>
public static class MemoryFit
{
    // The less a scheme rounds, the earlier it is proposed.
    private static readonly QuantizationScheme[] ByAccuracy = [QuantizationScheme.Int8, QuantizationScheme.Int4];

    /// <summary>Refuses a model that is larger than what is free where it computes.</summary>
    /// <param name="folder">A checkpoint in any layout we read.</param>
    /// <param name="options">Sizes of the engine it would run in.</param>
    /// <param name="free">Bytes that may be taken.</param>
    /// <exception cref="ModelMemoryException">It does not fit; the message has both figures, and the scheme that would.</exception>
    /// <exception cref="CheckpointException">It is no complete model of a kind we run.</exception>
    public static void Require(string folder, EngineOptions options, long free)
    {
        var memory = ModelMemory.Estimate(folder, options);
        // On a device it is the device's memory that counts, which DeviceChoice looks at.
        if (memory.Total > free && !options.UsesCuda)
        {
            throw new ModelMemoryException($"'{folder}' takes {memory}, and {ModelMemory.Megabytes(free)} are free. {Advice(Smaller(folder, options), free)}");
        }
    }

    /// <summary>Schemes with which a model takes less than with the options' own, those that round least first; none where its weights are packed already, and on a CUDA device.</summary>
    /// <exception cref="CheckpointException">It is no complete model of a kind we run.</exception>
    public static IReadOnlyList<SmallerScheme> Smaller(string folder, EngineOptions options)
    {
        using var checkpoint = CheckpointFolder.Open(folder);
        if (checkpoint.Packed is not null || options.UsesCuda)
        {
            return [];
        }

        var own = ModelMemory.Estimate(checkpoint, options).Total;
        return [.. ByAccuracy.Select(scheme => new SmallerScheme(scheme, ModelMemory.Estimate(checkpoint, options.With(scheme)).Total)).Where(smaller => smaller.Bytes < own)];
    }

    /// <summary>What a model takes with each scheme of the CPU, or with the one that its weights are packed in.</summary>
    /// <param name="checkpoint">The model.</param>
    /// <param name="options">Sizes of the engine it would run in.</param>
    public static IReadOnlyList<SchemeMemory> Schemes(CheckpointFolder checkpoint, EngineOptions options) =>
        [.. (checkpoint.Packed is { } packed ? [packed.Scheme] : QuantizationSchemes.OnCpu).Select(scheme => new SchemeMemory(scheme, ModelMemory.Estimate(checkpoint, options.With(scheme))))];

    /// <summary>What to do about a model that does not fit: the scheme that would, or what else there is.</summary>
    /// <param name="smaller">See <see cref="Smaller"/>.</param>
    /// <param name="free">Bytes that may be taken.</param>
    public static string Advice(IReadOnlyList<SmallerScheme> smaller, long free) =>
        smaller.FirstOrDefault(one => one.Bytes <= free) is { } fitting
            ? $"With --quantize {fitting.Scheme.Word()} (Llava:Engine:Quantize) it takes {ModelMemory.Megabytes(fitting.Bytes)}, which fits."
            : $"{(smaller is [.., var least] ? $"Even with --quantize {least.Scheme.Word()} it takes {ModelMemory.Megabytes(least.Bytes)}. " : "")}Lower Llava:Engine:KvCacheBytes, KvPositions, FeatureCacheBytes or PrefillChunkTokens, or give it more memory.";
}

/// <summary>A model does not fit into memory; the message has the figures and what would fit.</summary>
public sealed class ModelMemoryException(string message) : LlavaException(message, isRetryable: false);
