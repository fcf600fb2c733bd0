using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Llava.ModelCore.Kernels.Linear;

/// <summary>Tensors as memory, which torch and our own kernels share without copying.</summary>
internal static unsafe class TensorMemory
{
    /// <summary>The first number of a float32 tensor in one piece on the CPU; valid as long as the tensor is.</summary>
    public static float* Of(Tensor tensor) => (float*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(tensor.bytes));
}
