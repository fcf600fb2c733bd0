using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Engine.Cuda;
using Llava.ModelCore.Kernels.Decoding;
using Llava.ModelCore.Models;

namespace Llava.ModelCore.Engine;

/// <summary>Memory that a loaded model takes on its device, in bytes.</summary>
/// <param name="Weights">Parameters, as they are kept.</param>
/// <param name="KvCache">The arena of keys and values, allocated once.</param>
/// <param name="FeatureCache">The most that image features may take; grows with use.</param>
/// <param name="Work">Activations of the largest step and of one image, and while loading the largest tensor in its file's type.</param>
public sealed record ModelMemory(long Weights, long KvCache, long FeatureCache, long Work)
{
    // What a layer of a transformer holds at once, counted in rows of its width: residual stream, norm, query, key, value, attention.
    private const int RowsOfHidden = 6;

    // Gate, up and their product.
    private const int RowsOfMlp = 3;

    /// <summary>Everything together.</summary>
    public long Total => checked(Weights + KvCache + FeatureCache + Work);

    /// <summary>The sum and its parts, for a reader.</summary>
    public override string ToString() =>
        $"{Megabytes(Total)} (weights {Megabytes(Weights)}, keys and values {Megabytes(KvCache)}, image features {Megabytes(FeatureCache)}, work {Megabytes(Work)})";

    /// <summary>What a checkpoint would take, by its headers alone.</summary>
    /// <param name="folder">A checkpoint in any layout we read.</param>
    /// <param name="options">Sizes of the engine it would run in.</param>
    /// <exception cref="CheckpointException">It is no complete model of a kind we run.</exception>
    public static ModelMemory Estimate(string folder, EngineOptions options)
    {
        using var checkpoint = CheckpointFolder.Open(folder);
        return Estimate(checkpoint, options);
    }

    /// <inheritdoc cref="Estimate(string, EngineOptions)"/>
    internal static ModelMemory Estimate(CheckpointFolder checkpoint, EngineOptions options)
    {
        var language = checkpoint.Config.LanguageModel;
        options = options.For(checkpoint);
        if (options.UsesCuda)
        {
            return OnDevice(checkpoint.Config, options);
        }

        var inTorch = ModelParameters.Of(checkpoint.Config).Where(parameter => !options.UsesKernels || !parameter.Name.StartsWith(ModelParameters.LanguageModel, StringComparison.Ordinal));
        var weights = inTorch.Sum(parameter => PackedTower.BytesOf(parameter, options))
            + (options.UsesKernels ? DecoderWeights.Estimate(language, options.Quantize, checkpoint.StorageType) : 0);
        var largest = checkpoint.Tensors.Where(tensor => !tensor.IsPacked).Max(tensor => tensor.Entry.Bytes);
        return new(weights, KvOf(language, options), FeaturesOf(checkpoint.Config, options), WorkOf(checkpoint.Config, options) + largest);
    }

    /// <summary>What a model takes on a CUDA device, by its shapes; what is read on the way there is the host's.</summary>
    internal static ModelMemory OnDevice(LlavaConfig config, EngineOptions options) => new(
        ModelParameters.Of(config).Sum(parameter => DeviceWeights.BytesOf(parameter, options.Quantize)) + DeviceWeights.ScratchBytes(config.LanguageModel, options.Quantize),
        KvOf(config.LanguageModel, options),
        FeaturesOf(config, options),
        WorkOf(config, options));

    /// <summary>What a model takes whose tensors are there.</summary>
    /// <param name="model">What torch holds.</param>
    /// <param name="options">Sizes of the engine.</param>
    /// <param name="kvBytes">The arena.</param>
    /// <param name="packedBytes">Packed weights, which torch does not hold.</param>
    internal static ModelMemory Of(LlavaModel model, EngineOptions options, long kvBytes, long packedBytes) => new(
        model.parameters().Sum(parameter => parameter.numel() * parameter.ElementSize) + packedBytes,
        kvBytes,
        FeaturesOf(model.Config, options),
        WorkOf(model.Config, options));

    /// <summary>Bytes for a reader.</summary>
    internal static string Megabytes(long bytes) => FormattableString.Invariant($"{bytes / 1e6:N0} MB");

    private static long KvOf(LanguageModelConfig config, EngineOptions options) => checked(options.KvPositionsFor(config) * options.BytesPerPosition(config));

    private static long FeaturesOf(LlavaConfig config, EngineOptions options) => config.Vision is null ? 0 : options.FeatureCacheBytes;

    private static long WorkOf(LlavaConfig config, EngineOptions options)
    {
        var (step, vision) = (StepOf(config.LanguageModel, options), config.Vision);
        return vision is null ? step : options.UsesCuda ? checked(step + ImagesOf(vision, options.Cuda)) : Math.Max(step, ImageOf(vision));
    }

    /// <summary>A chunk of a prompt that sees a whole context, or one token in each slot, whichever is more; attention scores are made whole.</summary>
    private static long StepOf(LanguageModelConfig config, EngineOptions options)
    {
        if (options.UsesKernels)
        {
            return CpuRunner.WorkBytes(config, options);
        }

        if (options.UsesCuda)
        {
            return DeviceDecoder.WorkBytes(config, options, Math.Min(LanguageModelPositions.Limit(config), options.KvPositionsFor(config)));
        }

        long rows = Math.Max(options.PrefillChunkTokens, options.MaxSlots);
        var scores = 2L * config.Heads * options.PrefillChunkTokens * Math.Min(LanguageModelPositions.Limit(config), options.KvPositionsFor(config));
        return checked(sizeof(float) * ((rows * ((RowsOfHidden * (long)config.HiddenSize) + (RowsOfMlp * (long)config.IntermediateSize))) + scores + (2L * options.MaxSlots * config.VocabularySize)));
    }

    /// <summary>As many images through the vision tower of a device as a pass has new ones; the step's own buffers are there at the same time, attention makes no scores.</summary>
    private static long ImagesOf(VisionConfig config, CudaOptions options)
    {
        long images = Math.Min(options.VisionImages, 1 + (options.PrefillTokens / config.Features));
        return checked(images * (config.Patches + 1) * sizeof(ushort) * ((RowsOfHidden * (long)config.HiddenSize) + (RowsOfMlp * (long)config.IntermediateSize)));
    }

    /// <summary>One image through the vision tower: images are encoded one by one.</summary>
    private static long ImageOf(VisionConfig config)
    {
        long rows = config.Patches + 1;
        return checked(sizeof(float) * ((rows * ((RowsOfHidden * (long)config.HiddenSize) + (RowsOfMlp * (long)config.IntermediateSize))) + (2 * config.Heads * rows * rows)));
    }
}
