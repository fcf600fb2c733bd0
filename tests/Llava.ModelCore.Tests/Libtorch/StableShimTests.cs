using Llava.ModelCore.Native;
using Llava.ModelCore.Native.Shim;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Tests.Libtorch;

/// <summary>libtorch's stable interface beside TorchSharp, on the same tensors.</summary>
public sealed class StableShimTests
{
    private static readonly TorchOperator Concatenate = new("aten::cat");
    private static readonly TorchOperator Sum = new("aten::sum", "dim_IntList");
    private static readonly TorchOperator Multiply = new("aten::mm");
    private static readonly TorchOperator Largest = new("aten::max", "dim", results: 2);
    private static readonly TorchOperator Attention = new("aten::scaled_dot_product_attention");

    public StableShimTests() => TorchLibrary.EnsureLoaded();

    [Fact]
    public void The_version_is_that_of_the_libtorch_that_is_loaded() => Assert.StartsWith($"{StableShim.Version.Major}.{StableShim.Version.Minor}.", torch.__version__, StringComparison.Ordinal);

    [Fact]
    public void An_operator_of_a_list_takes_it_and_leaves_the_tensors_to_the_caller()
    {
        using Tensor first = rand(2, 3), second = rand(4, 3), expected = cat([first, second], 0);
        using var joined = StableShim.Wrap(Concatenate.Invoke((nint[])[first.Handle, second.Handle], 0L));
        Assert.True(joined.allclose(expected));
        Assert.Equal(2, first.shape[0]);
    }

    [Fact]
    public void Optional_arguments_are_given_or_not()
    {
        using Tensor query = rand(1, 2, 5, 8), mask = rand(5, 5), expected = nn.functional.scaled_dot_product_attention(query, query, query, is_casual: true);
        using var masked = nn.functional.scaled_dot_product_attention(query, query, query, attn_mask: mask);
        using var scaled = StableShim.Wrap(Attention.Invoke(query.Handle, query.Handle, query.Handle, ShimValue.None, 0.0, true, ((ShimValue)(1 / Math.Sqrt(8))).Given(), false));
        using var plain = StableShim.Wrap(Attention.Invoke(query.Handle, query.Handle, query.Handle, ShimValue.None, 0.0, true, ShimValue.None, false));
        using var given = StableShim.Wrap(Attention.Invoke(query.Handle, query.Handle, query.Handle, ((ShimValue)mask.Handle).Given(), 0.0, false, ShimValue.None, false));
        Assert.True(scaled.allclose(expected));
        Assert.True(given.allclose(masked));
        Assert.True(plain.allclose(expected));
    }

    [Fact]
    public void Integers_travel_as_a_list()
    {
        using Tensor matrix = rand(3, 4), expected = matrix.sum([1L], keepdim: true);
        using var sums = StableShim.Wrap(Sum.Invoke(matrix.Handle, ((ShimValue)(long[])[1]).Given(), true, ShimValue.None));
        Assert.Equal(expected.shape, sums.shape);
        Assert.True(sums.allclose(expected));
    }

    [Fact]
    public void A_product_goes_into_memory_that_is_there()
    {
        using Tensor left = rand(3, 5), right = rand(5, 2), output = zeros(3, 2), expected = left.mm(right);
        var address = StableShim.Address(output.Handle);
        StableShim.MultiplyInto(output.Handle, left.Handle, right.Handle);
        Assert.True(output.allclose(expected));
        Assert.Equal(address, StableShim.Address(output.Handle));
    }

    [Fact]
    public void A_product_of_eight_bits_is_that_of_their_numbers_times_the_scales()
    {
        using var scope = NewDisposeScope();
        // Every code but the two that are no numbers.
        var codes = tensor([.. Enumerable.Range(0, 32 * 48).Select(i => (byte)(i * 37 % 255 == 127 ? 0 : i * 37 % 255))]).view(32, 48);
        var (left, right) = (StableShim.AsFloat8(codes), StableShim.AsFloat8(codes.narrow(0, 0, 16).contiguous()).t());
        var (output, leftScale, rightScale) = (zeros(32, 16), tensor(new[] { 0.25f }), tensor(new[] { 2f }));
        StableShim.MultiplyScaledInto(output, left, right, leftScale, rightScale);
        var expected = left.to(ScalarType.Float32).mm(right.to(ScalarType.Float32)) * leftScale * rightScale;
        Assert.True(output.allclose(expected, 1e-3, 1));
    }

    [Fact]
    public void Autograd_sees_an_operator()
    {
        using Tensor left = rand(3, 5, requires_grad: true), right = rand(5, 2);
        using var product = StableShim.Wrap(Multiply.Invoke(left.Handle, right.Handle));
        using var loss = product.sum();
        loss.backward();
        using Tensor gradient = left.grad!, expected = right.sum(1).expand(3, 5);
        Assert.True(gradient.allclose(expected));
    }

    [Fact]
    public void Arguments_that_do_not_fit_are_a_clear_failure()
    {
        using Tensor left = rand(3, 5);
        var failure = Assert.Throws<ShimException>(() => Multiply.Invoke(left.Handle, left.Handle));
        Assert.Contains("aten::mm", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Calls_make_no_garbage()
    {
        using Tensor left = rand(3, 5), right = rand(5, 2);
        StableShim.Free(Multiply.Invoke(left.Handle, right.Handle));
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 20; i++)
        {
            StableShim.Free(Multiply.Invoke(left.Handle, right.Handle));
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void A_libtorch_for_the_CPU_has_no_stream_and_says_so()
    {
        var failure = Assert.Throws<TorchLibraryException>(() => StableShim.CurrentCudaStream(0));
        Assert.Contains("'libtorch_cuda.so'", failure.Message, StringComparison.Ordinal);
        Assert.Contains(TorchLibrary.FolderVariable, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_libtorch_does_not_export_for_CUDA_is_named()
    {
        var failure = Assert.Throws<TorchLibraryException>(() => new CudaShimFunctions(TorchLibrary.Handle("libtorch_cpu.so")));
        Assert.Contains("'aoti_torch_cuda_mm_out'", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_several_results_the_first_is_given_and_the_others_are_freed()
    {
        using Tensor numbers = rand(1 << 18, 2), expected = numbers.amax([1L]);
        var before = Environment.WorkingSet;
        for (var i = 0; i < 300; i++)
        {
            // A megabyte of numbers, and two of indices.
            using var largest = StableShim.Wrap(Largest.Invoke(numbers.Handle, 1L, false));
            Assert.True(i > 0 || largest.allclose(expected));
        }

        // All indices would be 600 MB.
        Assert.InRange(Environment.WorkingSet - before, long.MinValue, 300L << 20);
    }

    [Fact]
    public void Thousands_of_calls_leave_no_memory_behind()
    {
        // A megabyte a result: a handle that is not given back would show after the first hundred.
        using Tensor left = rand(256, 4), right = rand(4, 1024);
        var before = Environment.WorkingSet;
        for (var i = 0; i < 500; i++)
        {
            StableShim.Free(Multiply.Invoke(left.Handle, right.Handle));
        }

        for (var i = 0; i < 4_000; i++)
        {
            StableShim.Free(Concatenate.Invoke((nint[])[left.Handle, left.Handle], 0L));
            StableShim.Free(StableShim.Copy(left.Handle));
        }

        Assert.InRange(Environment.WorkingSet - before, long.MinValue, 200L << 20);
    }
}
