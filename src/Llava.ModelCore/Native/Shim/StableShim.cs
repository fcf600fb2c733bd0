using TorchSharp;

namespace Llava.ModelCore.Native.Shim;

/// <summary>
/// libtorch's stable C interface: operators and tensors without TorchSharp's wrappers, scopes and finalizers. A handle is an <c>at::Tensor*</c>, the same thing as TorchSharp's
/// <c>Tensor.Handle</c>; who makes one frees it.
/// </summary>
internal static unsafe class StableShim
{
    /// <summary>Version of the libtorch that is loaded: (2, 10) and so on.</summary>
    public static (int Major, int Minor) Version => ((int)(ShimFunctions.Own.AbiVersion() >> 56), (int)(ShimFunctions.Own.AbiVersion() >> 48) & 0xFF);

    /// <summary>Another handle of the same tensor.</summary>
    public static nint Copy(nint tensor)
    {
        nint copy;
        Check(ShimFunctions.Own.NewTensorHandle(tensor, &copy), "copy a tensor's handle");
        return copy;
    }

    /// <summary>Gives a handle back; the tensor goes with its last one.</summary>
    public static void Free(nint tensor) => Check(ShimFunctions.Own.DeleteTensorObject(tensor), "free a tensor's handle");

    /// <summary>Where a tensor's first number is: on a device its address there.</summary>
    public static nint Address(nint tensor)
    {
        void* address;
        Check(ShimFunctions.Own.GetMutableDataPointer(tensor, &address), "ask for a tensor's address");
        return (nint)address;
    }

    /// <summary>output = left · right into memory that is there; autograd sees nothing of it. All three are of one type and on one device.</summary>
    /// <param name="output">(rows, columns).</param>
    /// <param name="left">(rows, inner).</param>
    /// <param name="right">(inner, columns).</param>
    /// <param name="onCuda">Whether they are on a CUDA device, whose function is another. Default false: on the CPU.</param>
    /// <exception cref="TorchLibraryException">This libtorch has no such function for the device.</exception>
    public static void MultiplyInto(nint output, nint left, nint right, bool onCuda = false) =>
        Check(onCuda ? CudaShimFunctions.Own.MultiplyInto(output, left, right) : ShimFunctions.Own.MultiplyInto(output, left, right), "multiply matrices");

    /// <summary>
    /// output = (left · right) times the scales, into memory that is there; left and right are of the type e4m3. On CUDA each row of left and each column of right has a scale, on the CPU
    /// each of the two has one.
    /// </summary>
    /// <param name="output">(rows, columns): bfloat16, or float32 on the CPU.</param>
    /// <param name="left">(rows, inner), row by row.</param>
    /// <param name="right">(inner, columns), column by column; both are multiples of 16.</param>
    /// <param name="leftScales">float32 (rows, 1), or one number.</param>
    /// <param name="rightScales">float32 (1, columns), or one number.</param>
    /// <param name="onCuda">Whether they are on a CUDA device. Default false.</param>
    public static void MultiplyScaledInto(torch.Tensor output, torch.Tensor left, torch.Tensor right, torch.Tensor leftScales, torch.Tensor rightScales, bool onCuda = false)
    {
        var type = (int)output.dtype;
        var multiply = onCuda ? CudaShimFunctions.Own.MultiplyScaledInto : ShimFunctions.Own.MultiplyScaledInto;
        Check(multiply(output.Handle, left.Handle, right.Handle, leftScales.Handle, rightScales.Handle, null, null, &type, 1), "multiply matrices of eight bits");
    }

    /// <summary>Bytes as numbers of the type e4m3, which TorchSharp has no name for: the same memory.</summary>
    public static torch.Tensor AsFloat8(torch.Tensor bytes)
    {
        nint view;
        Check(ShimFunctions.Own.ViewAs(bytes.Handle, ShimFunctions.Own.Float8(), &view), "see bytes as numbers");
        return Wrap(view);
    }

    /// <summary>The stream into which libtorch puts the work of this thread on a device: a <c>CUstream</c>.</summary>
    /// <exception cref="TorchLibraryException">This libtorch is for the CPU.</exception>
    public static nint CurrentCudaStream(int device)
    {
        nint stream;
        Check(CudaShimFunctions.Own.CurrentStream(device, &stream), "tell the stream of a CUDA device");
        return stream;
    }

    /// <summary>Has libtorch put the work of this thread on a device into a stream, a <c>CUstream</c>.</summary>
    /// <exception cref="TorchLibraryException">This libtorch is for the CPU.</exception>
    public static void UseCudaStream(int device, nint stream) => Check(CudaShimFunctions.Own.SetStream(stream, device), "change the stream of a CUDA device");

    /// <summary>One of libtorch's own streams, which live as long as the process: there are 32 on a device, given out in turn.</summary>
    /// <exception cref="TorchLibraryException">This libtorch is for the CPU.</exception>
    public static nint NextCudaStream(int device)
    {
        nint stream;
        Check(CudaShimFunctions.Own.NewStream(0, device, &stream), "give a stream of a CUDA device");
        return stream;
    }

    /// <summary>TorchSharp's tensor of a handle, which is the tensor's from then on.</summary>
    public static torch.Tensor Wrap(nint handle) => torch.Tensor.UnsafeCreateTensor(handle);

    /// <summary>Throws when a call failed.</summary>
    internal static void Check(int result, string action)
    {
        if (result != 0)
        {
            throw new ShimException($"libtorch cannot {action}. Its own message is on standard error.");
        }
    }
}
