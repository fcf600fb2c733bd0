using Llava.ModelCore.Engine;
using Llava.ModelCore.Kernels.Products;
using Llava.ModelCore.Quantization;
using static TorchSharp.torch;

namespace Llava.ModelCore.Tests.Engine;

/// <summary>The tower and projector of quantized models, whose linear layers are on our own kernels in 16 bits.</summary>
public sealed class PackedTowerTests
{
    private readonly ImageInput _picture = Requests.Picture(new Random(1));

    public static TheoryData<KernelKind> Kernels => [.. IntegerKernels.Available];

    // Measured 0.0003; half precision, in which LLaVA's own tower runs, rounds every number by up to 0.0005.
    [Theory, MemberData(nameof(Kernels))]
    public void Features_are_within_a_two_thousandth_of_the_exact_ones_and_the_same_bits_on_every_kernel(KernelKind kernel)
    {
        var (exact, packed) = (Features(new() { Runner = RunnerKind.Cpu }), Features(Quantized(kernel)));
        Assert.Equal(Features(Quantized(KernelKind.Portable)), packed);
        var (error, size) = (exact.Zip(packed, (a, b) => Math.Pow(a - b, 2)).Sum(), exact.Sum(a => Math.Pow(a, 2)));
        Assert.InRange(Math.Sqrt(error / size), 1e-7, 1.0 / 2000);
    }

    [Fact]
    public void Torch_lets_go_of_what_is_packed()
    {
        using var model = RandomModel.Create(Requests.Config());
        var names = model.named_parameters().Select(parameter => parameter.name).ToArray();
        using var tower = PackedTower.Pack(model, Quantized(KernelKind.Auto));
        Assert.NotNull(tower);
        string[] left = [.. model.named_parameters().Select(parameter => parameter.name)];
        Assert.Equal(names.Where(name => !IsPacked(name)), left);
        Assert.NotEmpty(names.Except(left));
    }

    private static bool IsPacked(string name) => name.StartsWith("projector.", StringComparison.Ordinal)
        || (name.StartsWith("vision_tower.layers.", StringComparison.Ordinal) && !name.Contains("norm", StringComparison.Ordinal));

    private static EngineOptions Quantized(KernelKind kernel) => new() { Runner = RunnerKind.Cpu, Quantize = QuantizationScheme.Int8, Kernel = kernel, Threads = 2 };

    private float[] Features(EngineOptions options)
    {
        using var mode = inference_mode();
        using var scope = NewDisposeScope();
        using var model = RandomModel.Create(Requests.Config());
        using var tower = PackedTower.Pack(model, options);
        using ImageFeatures features = new(model, 0);
        return [.. features.Get(_picture, new StepOutcome()).contiguous().data<float>()];
    }
}
