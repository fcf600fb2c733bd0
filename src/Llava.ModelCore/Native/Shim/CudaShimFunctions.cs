namespace Llava.ModelCore.Native.Shim;

/// <summary>What the stable interface has for CUDA: twins of the CPU's functions and the streams, exported by <c>libtorch_cuda</c>. Looked up when a device is first used.</summary>
internal sealed unsafe class CudaShimFunctions
{
    private static readonly Lazy<CudaShimFunctions> Loaded = new(() => new CudaShimFunctions(TorchLibrary.Handle("libtorch_cuda.so")));

    private readonly nint _library;
    private nint _setStream;

    /// <param name="library">Handle of the library that exports them.</param>
    /// <exception cref="TorchLibraryException">One is missing.</exception>
    internal CudaShimFunctions(nint library)
    {
        MultiplyInto = (delegate* unmanaged<nint, nint, nint, int>)ShimFunctions.Export(library, "aoti_torch_cuda_mm_out");
        MultiplyScaledInto = (delegate* unmanaged<nint, nint, nint, nint, nint, nint*, nint*, int*, int, int>)ShimFunctions.Export(library, "aoti_torch_cuda__scaled_mm_out");
        CurrentStream = (delegate* unmanaged<int, nint*, int>)ShimFunctions.Export(library, "aoti_torch_get_current_cuda_stream");
        _library = library;
    }

    /// <summary>Those of the libtorch that is loaded.</summary>
    /// <exception cref="TorchLibraryException">It is for the CPU, or has no such interface.</exception>
    public static CudaShimFunctions Own => Loaded.Value;

    public delegate* unmanaged<nint, nint, nint, int> MultiplyInto { get; }

    /// <inheritdoc cref="ShimFunctions.MultiplyScaledInto"/>
    public delegate* unmanaged<nint, nint, nint, nint, nint, nint*, nint*, int*, int, int> MultiplyScaledInto { get; }

    public delegate* unmanaged<int, nint*, int> CurrentStream { get; }

    // What only streams of one's own need is looked up when somebody wants one.
    public delegate* unmanaged<nint, int, int> SetStream =>
        (delegate* unmanaged<nint, int, int>)(_setStream != 0 ? _setStream : _setStream = ShimFunctions.Export(_library, "torch_set_current_cuda_stream"));

    public delegate* unmanaged<byte, int, nint*, int> NewStream => (delegate* unmanaged<byte, int, nint*, int>)ShimFunctions.Export(_library, "torch_get_cuda_stream_from_pool");
}
