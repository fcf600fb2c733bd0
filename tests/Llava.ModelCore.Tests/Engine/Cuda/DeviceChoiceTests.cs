using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Engine;
using Llava.ModelCore.Engine.Cuda;
using Llava.ModelCore.Native;
using Llava.ModelCore.Native.Cuda;
using Llava.ModelCore.Quantization;
using Llava.ModelCore.Tests.Kernels.Cuda;
using Llava.Testing;

namespace Llava.ModelCore.Tests.Engine.Cuda;

public sealed class DeviceChoiceTests
{
    private static string Shipped => Repository.Path("models", "llava-scenes");

    [Theory]
    [InlineData(RunnerKind.Auto, null, false)]
    [InlineData(RunnerKind.Auto, "cpu", false)]
    [InlineData(RunnerKind.Auto, "cuda", true)]
    [InlineData(RunnerKind.Auto, "cuda:3", true)]
    [InlineData(RunnerKind.Cuda, null, true)]
    [InlineData(RunnerKind.Cpu, null, false)]
    [InlineData(RunnerKind.Torch, "cpu", false)]
    public void A_device_computes_only_where_it_is_named(RunnerKind runner, string? device, bool usesCuda)
    {
        EngineOptions options = new() { Runner = runner, Device = device };
        Assert.Empty(options.Validate());
        Assert.Equal(usesCuda, options.UsesCuda);
    }

    [Theory]
    [InlineData(RunnerKind.Auto, "gpu", QuantizationScheme.None, "Device is 'gpu'")]
    [InlineData(RunnerKind.Auto, "cuda:-1", QuantizationScheme.None, "Device is 'cuda:-1'")]
    [InlineData(RunnerKind.Cpu, "cuda:0", QuantizationScheme.None, "Device is cuda:0, and Runner Cpu does not compute there")]
    [InlineData(RunnerKind.Cuda, "cpu", QuantizationScheme.None, "Device is cpu, and Runner Cuda does not compute there")]
    [InlineData(RunnerKind.Auto, "cuda", QuantizationScheme.Int8, "keeps weights in bfloat16")]
    [InlineData(RunnerKind.Auto, "cpu", QuantizationScheme.Fp8, "which the CUDA runner alone multiplies by")]
    [InlineData(RunnerKind.Torch, "cpu", QuantizationScheme.Fp8, "the torch runner keeps weights as they are")]
    public void What_contradicts_itself_is_said_in_one_sentence(RunnerKind runner, string device, QuantizationScheme scheme, string finding) =>
        Assert.Contains(finding, Assert.Single(new EngineOptions { Runner = runner, Device = device, Quantize = scheme }.Validate()), StringComparison.Ordinal);

    [Fact]
    public void Two_streams_do_not_share_what_matrices_in_four_bits_work_in() => Assert.Contains(
        "Cuda:TwoStreams is true, and Quantize is Int4",
        Assert.Single(new EngineOptions { Device = "cuda", Quantize = QuantizationScheme.Int4, Cuda = new() { TwoStreams = true } }.Validate()),
        StringComparison.Ordinal);

    [Fact]
    public void Two_streams_do_not_read_keys_of_eight_bits_in_the_same_place() => Assert.Contains(
        "Cuda:TwoStreams is true, KvCache is Fp8 and DecodeAttention is false",
        Assert.Single(new EngineOptions { Device = "cuda", Quantize = QuantizationScheme.Fp8, Cuda = new() { TwoStreams = true, KvCache = KvCacheType.Fp8, DecodeAttention = false } }.Validate()),
        StringComparison.Ordinal);

    [Theory]
    [InlineData(RunnerKind.Torch, "gpu", "LayerDevices has 'gpu'")]
    [InlineData(RunnerKind.Auto, "cpu", "only Torch lays a model over several devices")]
    public void So_is_what_layers_cannot_be_laid_over(RunnerKind runner, string device, string finding) =>
        Assert.Contains(finding, Assert.Single(new EngineOptions { Runner = runner, LayerDevices = [device] }.Validate()), StringComparison.Ordinal);

    [Fact]
    public void A_device_that_torch_does_not_see_is_refused_by_its_name()
    {
        EngineOptions options = new() { Runner = RunnerKind.Torch, LayerDevices = ["cpu", "cuda:1"] };

        Assert.StartsWith("There is no device 'cuda:1': this libtorch sees 0 CUDA devices.", Assert.Throws<TorchLibraryException>(() => LoadedModel.Load(Shipped, options)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_missing_is_said_before_anything_is_loaded_with_what_to_do()
    {
        Assert.StartsWith("There is no NVIDIA driver here", Refused<CudaException>("libcuda-of-nowhere.so", 0), StringComparison.Ordinal);
        Assert.StartsWith("There is no device 'cuda:5': the driver shows 1.", Refused<CudaException>(EmulatedDevice.Library, 5), StringComparison.Ordinal);
        Assert.Contains("is for the CPU. Set LLAVA_LIBTORCH", Refused<TorchLibraryException>(EmulatedDevice.Library, 0), StringComparison.Ordinal);

        static string Refused<T>(string driver, int ordinal)
            where T : Exception => Assert.Throws<T>(() => CudaSession.Open(ordinal, driver, TorchLibrary.EnsureLoaded())).Message;
    }

    [Fact]
    public void A_model_that_the_device_has_no_room_for_is_refused_with_both_figures()
    {
        // The emulated device has 3 GiB free.
        EngineOptions options = new() { Device = "cuda", KvPositions = 4_000_000 };
        using var checkpoint = CheckpointFolder.Open(Shipped);
        var refused = Assert.Throws<ModelMemoryException>(() => DeviceChoice.Open(checkpoint, options, EmulatedSession.Open));
        Assert.Contains($"takes {ModelMemory.Estimate(Shipped, options)} on 'Emulated device', and 2,684 MB are free there. Use --quantize int4 (Llava:Engine:Quantize), lower Llava:Engine:KvCacheBytes", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    // By shapes alone, with half a gigabyte aside for libraries, what the original claims: a 7B in 8 GB, a 13B in 12.
    [InlineData(32, 4096, 11_008, 8, QuantizationScheme.Int4)]
    [InlineData(32, 4096, 11_008, 8, QuantizationScheme.Nf4)]
    [InlineData(40, 5120, 13_824, 12, QuantizationScheme.Int4)]
    [InlineData(40, 5120, 13_824, 12, QuantizationScheme.Nf4)]
    public void Small_cards_take_large_models_in_four_bits_with_fewer_tokens_at_once(int layers, int hidden, int intermediate, int gigabytes, QuantizationScheme scheme)
    {
        LlavaConfig config = new()
        {
            LanguageModel = new() { VocabularySize = 32_000, HiddenSize = hidden, IntermediateSize = intermediate, Layers = layers, Heads = hidden / 128, KeyValueHeads = hidden / 128, MaxPositions = 4096 },
            Vision = VisionConfigReader.LargePatch14At336,
            Projector = new() { InputSize = VisionConfigReader.LargePatch14At336.HiddenSize, OutputSize = hidden, Depth = 2 },
        };
        EngineOptions options = new() { Device = "cuda", Quantize = scheme, MaxSlots = 4, KvPositions = 2048 };
        var free = (gigabytes * 1_000_000_000L) - (512 << 20);

        var fitted = DeviceChoice.Fit(config, options, free)!;

        Assert.InRange(ModelMemory.OnDevice(config, fitted).Total, 1, free);
        Assert.InRange(fitted.Cuda.PrefillTokens, 1024, options.Cuda.PrefillTokens - 1);
        Assert.Equal(options.Cuda.PrefillTokens, DeviceChoice.Fit(config, options, 80_000_000_000)!.Cuda.PrefillTokens);
        Assert.Null(DeviceChoice.Fit(config, options, 1_000_000_000));
    }

    [Fact]
    public void The_CPU_computes_instead_only_where_that_is_allowed()
    {
        Func<int, CudaSession> none = _ => throw new CudaException("There is no driver.");
        using var checkpoint = CheckpointFolder.Open(Shipped);
        Assert.Throws<CudaException>(() => DeviceChoice.Open(checkpoint, new EngineOptions { Device = "cuda" }, none));
        var (choice, session) = DeviceChoice.Open(checkpoint, new EngineOptions { Runner = RunnerKind.Cuda, DeviceFallback = true, MaxSlots = 7 }, none);
        Assert.Null(session);
        Assert.Equal(("There is no driver.", false, 7), (choice.FallbackReason, choice.Options.UsesCuda, choice.Options.MaxSlots));
    }

    [Fact]
    public void Eight_bits_need_a_device_and_heads_that_take_them_and_become_integers_on_the_CPU()
    {
        Fp8Matrix.RequireCapability("RTX 4090", new(8, 9));
        Assert.StartsWith("'A100' has compute capability 8.0, and products in eight bits (--quantize fp8) need 8.9", Assert.Throws<CudaException>(() => Fp8Matrix.RequireCapability("A100", new(8, 0))).Message, StringComparison.Ordinal);
        var small = Requests.Config().LanguageModel;
        DeviceArena.RequireSupported(small, new());
        Assert.Contains("Engine:Cuda:KvCache is Fp8, which takes heads of 16 to 128", Assert.Throws<EngineOptionsException>(() => DeviceArena.RequireSupported(small, new() { KvCache = KvCacheType.Fp8 })).Message, StringComparison.Ordinal);
        using var checkpoint = CheckpointFolder.Open(Shipped);
        var (choice, _) = DeviceChoice.Open(checkpoint, new EngineOptions { Device = "cuda", Quantize = QuantizationScheme.Fp8, DeviceFallback = true }, _ => throw new CudaException("There is no driver."));
        Assert.Equal(QuantizationScheme.Int8, choice.Options.Quantize);
        Assert.EndsWith("-fp8-bf16-kv8", LoadedModel.RevisionOf(Shipped, new EngineOptions { Device = "cuda", Quantize = QuantizationScheme.Fp8, Cuda = new() { KvCache = KvCacheType.Fp8 } }), StringComparison.Ordinal);
    }

    [Fact]
    public void An_MPT_is_refused_with_what_computes_it()
    {
        var config = Requests.Config().LanguageModel with { Mpt = new MptSettings() };
        var refused = Assert.Throws<EngineOptionsException>(() => DeviceWeights.RequireSupported(config));
        Assert.Contains("MPT", refused.Message, StringComparison.Ordinal);
        Assert.Contains("--runner cpu", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(QuantizationScheme.None, KvCacheType.BFloat16)]
    [InlineData(QuantizationScheme.Fp8, KvCacheType.Fp8)]
    public async Task A_loaded_model_answers_on_the_device_as_it_does_on_the_CPU_and_takes_what_was_estimated(QuantizationScheme scheme, KvCacheType cache)
    {
        EngineOptions options = new() { Device = "cuda", MaxSlots = 2, KvPositions = 512, Quantize = scheme, Cuda = new() { PrefillTokens = 256, KvCache = cache } };
        Question question = new() { Images = [await File.ReadAllBytesAsync(Directory.GetFiles(Repository.Path("samples", "images")).Order(StringComparer.Ordinal).First())], Text = "What is in the image?", Sampling = new() { MaxNewTokens = 8 } };
        await using var onDevice = LoadedModel.Load(Shipped, options, time: null, EmulatedSession.Open);
        await using var onCpu = LoadedModel.Load(Shipped, new EngineOptions { KvPositions = 512 });
        Assert.Equal((await onCpu.AnswerAsync(question)).Text, (await onDevice.AnswerAsync(question)).Text);
        Assert.NotEqual(onCpu.Revision, onDevice.Revision);
        Assert.Null(onDevice.FallbackReason);
        var estimate = ModelMemory.Estimate(Shipped, options);
        Assert.Equal((estimate.Weights, estimate.KvCache, estimate.Work), (onDevice.Memory.Weights, onDevice.Memory.KvCache, onDevice.Memory.Work));
    }
}
