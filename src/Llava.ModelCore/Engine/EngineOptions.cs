using System.ComponentModel.DataAnnotations;
using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Engine.Cuda;
using Llava.ModelCore.Kernels.Attention;
using Llava.ModelCore.Kernels.Products;
using Llava.ModelCore.Kernels.Threads;
using Llava.ModelCore.Native.Cuda;
using Llava.ModelCore.Quantization;

namespace Llava.ModelCore.Engine;

/// <summary>Sizes of the engine. Defaults suit the model that ships; <see cref="Validate"/> gathers everything that is wrong.</summary>
public sealed class EngineOptions
{
    /// <summary>Configuration section these options are bound from.</summary>
    public const string SectionName = "Engine";

    /// <summary>Sequences that may run at the same time. Default 32.</summary>
    [Range(1, 1024)]
    public int MaxSlots { get; set; } = 32;

    /// <summary>Tokens one step may process, prefill and decode together. Default 4096; on a CUDA device <see cref="CudaOptions.PrefillTokens"/> and a token per slot.</summary>
    [Range(64, 262_144)]
    public int MaxStepTokens { get; set; } = 4096;

    /// <summary>Tokens of one prompt that are processed at once; a longer prompt is spread over steps. Default 1024; on a CUDA device <see cref="CudaOptions.PrefillTokens"/>.</summary>
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

    /// <summary>What computes the language model. Default auto: the CUDA runner where <see cref="Device"/> names a device, otherwise our own kernels.</summary>
    [EnumDataType(typeof(RunnerKind))]
    public RunnerKind Runner { get; set; }

    /// <summary>Where models compute: <c>cpu</c>, <c>cuda</c> (the first device) or <c>cuda:N</c>. Default null: the CPU, unless <see cref="Runner"/> is <see cref="RunnerKind.Cuda"/>.</summary>
    public string? Device { get; set; }

    /// <summary>
    /// Devices that the torch runner lays the decoder's layers over, for a model that is larger than one (docs/gpu.md): each <c>cpu</c> or <c>cuda:N</c>. Default none.
    /// </summary>
    public IList<string> LayerDevices { get; set; } = [];

    /// <summary>Whether the CPU computes where the device cannot be used or is too small. Default false: the model is not loaded then.</summary>
    public bool DeviceFallback { get; set; }

    /// <summary>What the CUDA runner does by itself, and how much at once.</summary>
    public CudaOptions Cuda { get; set; } = new();

    /// <summary>How the language model's weights are kept (docs/quantization.md). Default none: as the checkpoint has them.</summary>
    [EnumDataType(typeof(QuantizationScheme))]
    public QuantizationScheme Quantize { get; set; }

    /// <summary>The kernel of quantized products. Default auto: the fastest that this machine can run; all give the same answers.</summary>
    [EnumDataType(typeof(KernelKind))]
    public KernelKind Kernel { get; set; }

    /// <summary>Threads of our own kernels. Default 0, one for each core that this process may use, which is also the most there are.</summary>
    [Range(0, 1024)]
    public int Threads { get; set; }

    /// <summary>Threads that kernels get.</summary>
    internal int ThreadCount => Threads == 0 ? WorkerPool.FreeCores : Math.Min(Threads, WorkerPool.FreeCores);

    /// <summary>Whether models compute on a CUDA device.</summary>
    internal bool UsesCuda => Runner == RunnerKind.Cuda || (Runner == RunnerKind.Auto && DeviceName.OrdinalOf(Device) is not null);

    /// <summary>Whether the language model runs on our own kernels on the CPU.</summary>
    internal bool UsesKernels => Runner != RunnerKind.Torch && !UsesCuda;

    /// <summary>Tokens that one step may process.</summary>
    internal int StepTokens => UsesCuda ? MaxSlots + Cuda.PrefillTokens : MaxStepTokens;

    /// <summary>Tokens of one prompt that are processed at once.</summary>
    internal int ChunkTokens => UsesCuda ? Cuda.PrefillTokens : PrefillChunkTokens;

    /// <summary>Whether keys and values are rounded to 16 bits, as befits weights that are rounded too.</summary>
    internal bool HasHalfKeyValues => UsesKernels && Quantize.RoundsActivations();

    /// <summary>Whether vision tower and projector are rounded to 16 bits, as befits a language model that is rounded to fewer.</summary>
    internal bool RoundsImages => UsesKernels && Quantize.RoundsActivations();

    /// <summary>Everything that is wrong with these options; empty when they can be used.</summary>
    public IReadOnlyList<string> Validate()
    {
        List<ValidationResult> results = [];
        Validator.TryValidateObject(this, new ValidationContext(this), results, validateAllProperties: true);
        Validator.TryValidateObject(Cuda, new ValidationContext(Cuda), results, validateAllProperties: true);
        List<string> findings = [.. results.Select(r => $"{SectionName}: {r.ErrorMessage}"), .. DeviceFindings()];
        if ((long)MaxSlots + PrefillChunkTokens > MaxStepTokens)
        {
            findings.Add(FormattableString.Invariant(
                $"{SectionName}:{nameof(MaxStepTokens)} is {MaxStepTokens}, {nameof(MaxSlots)} {MaxSlots} and {nameof(PrefillChunkTokens)} {PrefillChunkTokens}. A step holds one token per slot and one chunk, so raise {nameof(MaxStepTokens)} or lower one of the others."));
        }

        if (Runner == RunnerKind.Torch && Quantize != QuantizationScheme.None)
        {
            findings.Add($"{SectionName}:{nameof(Quantize)} is {Quantize}, and the torch runner keeps weights as they are. Use the {RunnerKind.Cpu} runner, or {nameof(QuantizationScheme.None)}.");
        }

        if (!IntegerKernels.Available.Contains(Kernel) && Kernel != KernelKind.Auto)
        {
            findings.Add($"{SectionName}:{nameof(Kernel)} is {Kernel}, and this machine can run {string.Join(", ", IntegerKernels.Available)}. Use one of these, or {KernelKind.Auto}.");
        }

        return findings;
    }

    /// <summary>The options for a checkpoint: where its weights are packed already, they are kept as they were packed.</summary>
    /// <exception cref="EngineOptionsException">They ask for what its packed weights cannot be.</exception>
    internal EngineOptions For(CheckpointFolder checkpoint)
    {
        if (checkpoint.Packed is not { } packed)
        {
            return this;
        }

        if (!UsesKernels || (Quantize != QuantizationScheme.None && Quantize != packed.Scheme))
        {
            var other = UsesKernels ? $"{nameof(Quantize)} is {Quantize}" : Runner == RunnerKind.Auto ? $"{nameof(Device)} is {Device}" : $"{nameof(Runner)} is {Runner}";
            throw new EngineOptionsException($"The engine cannot start: '{checkpoint.Path}' holds weights that are packed as {packed.Scheme}, and {SectionName}:{other}. Use {QuantizationScheme.None} and {RunnerKind.Auto}, which take them as they are on the CPU, or the checkpoint that it was made from.");
        }

        return With(packed.Scheme);
    }

    /// <summary>The options with another scheme, on our own kernels.</summary>
    internal EngineOptions With(QuantizationScheme scheme)
    {
        var changed = (EngineOptions)MemberwiseClone();
        (changed.Quantize, changed.Runner, changed.Device) = (scheme, RunnerKind.Auto, null);
        return changed;
    }

    /// <summary>The options with another number of tokens of prompts in a pass of a CUDA device.</summary>
    internal EngineOptions WithPrefill(int tokens)
    {
        var changed = (EngineOptions)MemberwiseClone();
        changed.Cuda = Cuda.With(tokens);
        return changed;
    }

    /// <summary>The options on the CPU, with a scheme of as many bits where it has not the same one.</summary>
    internal EngineOptions OnCpu() => With(QuantizationSchemes.OnCpu.Contains(Quantize) ? Quantize : QuantizationScheme.Int8);

    /// <summary>Refuses options that cannot be used.</summary>
    /// <exception cref="EngineOptionsException">The message lists every finding.</exception>
    public void RequireValid()
    {
        if (Validate() is { Count: > 0 } findings)
        {
            throw new EngineOptionsException($"The engine cannot start: {string.Join(" ", findings)}");
        }
    }

    /// <summary>Bytes of one position of the KV cache in all layers.</summary>
    internal long BytesPerPosition(LanguageModelConfig model) =>
        UsesKernels ? KeyValueStore.BytesPerPosition(model, HasHalfKeyValues) : UsesCuda ? DeviceArena.BytesPerPosition(model, Cuda.KvCache) : KvArena.BytesPerPosition(model);

    /// <summary>Positions the KV cache gets for a model.</summary>
    internal int KvPositionsFor(LanguageModelConfig model) => KvPositionsFor(model, BytesPerPosition(model));

    /// <summary>Positions the KV cache gets for a model whose positions take so many bytes.</summary>
    internal int KvPositionsFor(LanguageModelConfig model, long bytesPerPosition)
    {
        if (KvPositions > 0)
        {
            return KvPositions;
        }

        var context = (long)ExtentAllocator.Rounded(LanguageModelPositions.Limit(model));
        return (int)Math.Min(Math.Clamp(KvCacheBytes / bytesPerPosition, context, context * MaxSlots), int.MaxValue);
    }

    private IEnumerable<string> DeviceFindings()
    {
        if (!DeviceName.IsKnown(Device))
        {
            yield return $"{SectionName}:{nameof(Device)} is '{Device}'. Use cpu, cuda or cuda:N.";
            yield break;
        }

        var isCuda = DeviceName.OrdinalOf(Device) is not null;
        if (Device is not null && Runner != RunnerKind.Auto && isCuda != (Runner == RunnerKind.Cuda))
        {
            yield return $"{SectionName}:{nameof(Device)} is {Device}, and {nameof(Runner)} {Runner} does not compute there. Use {RunnerKind.Auto}, or another device.";
        }

        if (LayerDevices.FirstOrDefault(name => !DeviceName.IsKnown(name)) is { } unknown)
        {
            yield return $"{SectionName}:{nameof(LayerDevices)} has '{unknown}'. Use cpu or cuda:N.";
        }

        if (LayerDevices.Count > 0 && Runner != RunnerKind.Torch)
        {
            yield return $"{SectionName}:{nameof(LayerDevices)} is given, and {nameof(Runner)} is {Runner}; only {RunnerKind.Torch} lays a model over several devices.";
        }

        if (UsesCuda && Cuda.TwoStreams && Quantize is (QuantizationScheme.Int4 or QuantizationScheme.Nf4))
        {
            yield return $"{SectionName}:{nameof(Cuda)}:{nameof(CudaOptions.TwoStreams)} is true, and {nameof(Quantize)} is {Quantize}, whose products share memory that two streams would write at once. Use one stream, {QuantizationScheme.Fp8}, or {QuantizationScheme.None}.";
        }

        if (UsesCuda && Cuda is { TwoStreams: true, KvCache: KvCacheType.Fp8, DecodeAttention: false })
        {
            yield return $"{SectionName}:{nameof(Cuda)}:{nameof(CudaOptions.TwoStreams)} is true, {nameof(CudaOptions.KvCache)} is {KvCacheType.Fp8} and {nameof(CudaOptions.DecodeAttention)} is false, so that both streams would read keys and values from the same place. Use one stream, {KvCacheType.BFloat16}, or our attention.";
        }

        if (UsesCuda && Quantize is not (QuantizationScheme.None or QuantizationScheme.Fp8 or QuantizationScheme.Int4 or QuantizationScheme.Nf4))
        {
            yield return $"{SectionName}:{nameof(Quantize)} is {Quantize}, and the CUDA runner keeps weights in bfloat16, or as {QuantizationScheme.Fp8}, {QuantizationScheme.Int4} or {QuantizationScheme.Nf4}. Use one of these, or the CPU.";
        }

        if (UsesKernels && !QuantizationSchemes.OnCpu.Contains(Quantize))
        {
            yield return $"{SectionName}:{nameof(Quantize)} is {Quantize}, which the CUDA runner alone multiplies by. Name a device ({SectionName}:{nameof(Device)}), or use {QuantizationScheme.Int8}.";
        }
    }
}
