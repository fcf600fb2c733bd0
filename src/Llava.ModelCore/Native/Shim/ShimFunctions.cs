using System.Runtime.InteropServices;

namespace Llava.ModelCore.Native.Shim;

/// <summary>
/// The functions of libtorch's stable C interface that are used (<c>torch/csrc/stable/c/shim.h</c>, <c>torch/csrc/inductor/aoti_torch/c/shim.h</c>). PyTorch keeps their
/// signatures from one version to the next. Tensors are <c>at::Tensor*</c>, which is what TorchSharp's <c>Tensor.Handle</c> is; results other than 0 are failures.
/// </summary>
internal sealed unsafe class ShimFunctions
{
    private static readonly Lazy<ShimFunctions> Loaded = new(() => new ShimFunctions(TorchLibrary.Handle("libtorch_cpu.so")));

    private ShimFunctions(nint library)
    {
        CallDispatcher = (delegate* unmanaged<byte*, byte*, ulong*, ulong, int>)Export(library, "torch_call_dispatcher");
        AbiVersion = (delegate* unmanaged<ulong>)Export(library, "aoti_torch_abi_version");
        NewTensorHandle = (delegate* unmanaged<nint, nint*, int>)Export(library, "aoti_torch_new_tensor_handle");
        DeleteTensorObject = (delegate* unmanaged<nint, int>)Export(library, "aoti_torch_delete_tensor_object");
        GetMutableDataPointer = (delegate* unmanaged<nint, void**, int>)Export(library, "torch_get_mutable_data_ptr");
        NewList = (delegate* unmanaged<nuint, nint*, int>)Export(library, "torch_new_list_reserve_size");
        PushBack = (delegate* unmanaged<nint, ulong, int>)Export(library, "torch_list_push_back");
        MultiplyInto = (delegate* unmanaged<nint, nint, nint, int>)Export(library, "aoti_torch_cpu_mm_out");
        MultiplyScaledInto = (delegate* unmanaged<nint, nint, nint, nint, nint, nint*, nint*, int*, int, int>)Export(library, "aoti_torch_cpu__scaled_mm_out");
        ViewAs = (delegate* unmanaged<nint, int, nint*, int>)Export(library, "aoti_torch_view_dtype");
        Float8 = (delegate* unmanaged<int>)Export(library, "aoti_torch_dtype_float8_e4m3fn");
    }

    /// <summary>Those of the libtorch that is loaded.</summary>
    /// <exception cref="TorchLibraryException">It has no such interface.</exception>
    public static ShimFunctions Own => Loaded.Value;

    public delegate* unmanaged<byte*, byte*, ulong*, ulong, int> CallDispatcher { get; }

    public delegate* unmanaged<ulong> AbiVersion { get; }

    public delegate* unmanaged<nint, nint*, int> NewTensorHandle { get; }

    public delegate* unmanaged<nint, int> DeleteTensorObject { get; }

    public delegate* unmanaged<nint, void**, int> GetMutableDataPointer { get; }

    public delegate* unmanaged<nuint, nint*, int> NewList { get; }

    public delegate* unmanaged<nint, ulong, int> PushBack { get; }

    public delegate* unmanaged<nint, nint, nint, int> MultiplyInto { get; }

    /// <summary>Output, left, right, scales of both; bias and scale of the result, or null; type of the output, and whether sums may be kept in fewer bits.</summary>
    public delegate* unmanaged<nint, nint, nint, nint, nint, nint*, nint*, int*, int, int> MultiplyScaledInto { get; }

    public delegate* unmanaged<nint, int, nint*, int> ViewAs { get; }

    /// <summary>Code of the type e4m3.</summary>
    public delegate* unmanaged<int> Float8 { get; }

    /// <summary>Address of a function of the interface.</summary>
    /// <exception cref="TorchLibraryException">The library has none of this name.</exception>
    internal static nint Export(nint library, string name) => NativeLibrary.TryGetExport(library, name, out var address)
        ? address
        : throw new TorchLibraryException($"This libtorch has no '{name}', which PyTorch 2.9 and later have. Use PyTorch 2.10 or the next minor versions.");
}
