using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Native;
using Llava.ModelCore.Native.Cuda;
using Llava.ModelCore.Quantization;

namespace Llava.ModelCore.Engine.Cuda;

/// <summary>Where a model is going to compute, found out before anything of it is loaded.</summary>
/// <param name="Options">The options, or those of the CPU where the device cannot be used and the options allow that.</param>
/// <param name="FallbackReason">Why the CPU computes though a device was asked for; null where it does not.</param>
public sealed record DeviceChoice(EngineOptions Options, string? FallbackReason)
{
    // What libtorch and the libraries under it keep for themselves: an estimate.
    private const long LibraryBytes = 512L << 20;

    // Fewer tokens at once leave a device idle.
    private const int LeastTokens = 1024;

    /// <summary>Looks at device, libtorch, model and memory. Costs nothing where the options name no device.</summary>
    /// <param name="folder">A checkpoint in any layout we read.</param>
    /// <param name="options">Options that are valid.</param>
    /// <exception cref="CudaException">There is no driver or no such device, or it is too old; the message says what to do.</exception>
    /// <exception cref="TorchLibraryException">libtorch cannot use the device.</exception>
    /// <exception cref="ModelMemoryException">The device has less memory than the model takes.</exception>
    /// <exception cref="EngineOptionsException">The runner does not compute such a model.</exception>
    /// <exception cref="CheckpointException">The folder cannot be read.</exception>
    public static DeviceChoice Of(string folder, EngineOptions options)
    {
        if (!options.UsesCuda)
        {
            return new(options, null);
        }

        using var checkpoint = CheckpointFolder.Open(folder);
        var (choice, session) = Open(checkpoint, options, CudaSession.Open);
        session?.Dispose();
        return choice;
    }

    /// <summary>Looks, and keeps the device open; null where the CPU computes.</summary>
    internal static (DeviceChoice Choice, CudaSession? Session) Open(CheckpointFolder checkpoint, EngineOptions options, Func<int, CudaSession> open)
    {
        if (!options.UsesCuda)
        {
            return (new(options, null), null);
        }

        CudaSession? session = null;
        try
        {
            DeviceWeights.RequireSupported(checkpoint.Config.LanguageModel);
            DeviceArena.RequireSupported(checkpoint.Config.LanguageModel, options.Cuda);
            var memory = ModelMemory.Estimate(checkpoint, options);
            session = open(DeviceName.OrdinalOf(options.Device) ?? 0);
            if (options.Quantize == QuantizationScheme.Fp8)
            {
                Fp8Matrix.RequireCapability(session.Name, session.Capability);
            }

            var free = session.FreeBytes() - LibraryBytes;
            var fitted = Fit(checkpoint.Config, options, free)
                ?? throw new ModelMemoryException(
                    $"'{checkpoint.Path}' takes {memory} on '{session.Name}', and {ModelMemory.Megabytes(Math.Max(0, free))} are free there. Use --quantize int4 (Llava:Engine:Quantize), lower Llava:Engine:KvCacheBytes, KvPositions, MaxSlots or FeatureCacheBytes, name another device, or use the CPU.");
            return (new(fitted, null), session);
        }
        catch (LlavaException e) when (options.DeviceFallback)
        {
            session?.Dispose();
            return (new(options.OnCpu(), e.Message), null);
        }
        catch
        {
            session?.Dispose();
            throw;
        }
    }

    /// <summary>The options, with fewer tokens of prompts in a pass where the model fits so and not otherwise: prompts take longer then. Null where it does not fit.</summary>
    internal static EngineOptions? Fit(LlavaConfig config, EngineOptions options, long free)
    {
        var asked = options.Cuda.PrefillTokens;
        for (var tokens = asked; tokens == asked || tokens >= LeastTokens; tokens /= 2)
        {
            var fitted = options.WithPrefill(tokens);
            if (ModelMemory.OnDevice(config, fitted).Total <= free)
            {
                return fitted;
            }
        }

        return null;
    }
}
