using System.Runtime.InteropServices;

namespace Llava.ModelCore.Native.Cuda;

/// <summary>The functions of the driver API that are used, by the names under which CUDA 12 and 13 export them; all return a <c>CUresult</c>.</summary>
/// <param name="library">Handle of the driver's library.</param>
internal readonly unsafe struct CudaFunctions(nint library)
{
    public readonly delegate* unmanaged<uint, int> Init = (delegate* unmanaged<uint, int>)Export(library, "cuInit");
    public readonly delegate* unmanaged<int*, int> DriverGetVersion = (delegate* unmanaged<int*, int>)Export(library, "cuDriverGetVersion");
    public readonly delegate* unmanaged<int, byte**, int> GetErrorString = (delegate* unmanaged<int, byte**, int>)Export(library, "cuGetErrorString");
    public readonly delegate* unmanaged<int*, int> DeviceGetCount = (delegate* unmanaged<int*, int>)Export(library, "cuDeviceGetCount");
    public readonly delegate* unmanaged<int*, int, int> DeviceGet = (delegate* unmanaged<int*, int, int>)Export(library, "cuDeviceGet");
    public readonly delegate* unmanaged<byte*, int, int, int> DeviceGetName = (delegate* unmanaged<byte*, int, int, int>)Export(library, "cuDeviceGetName");
    public readonly delegate* unmanaged<int*, int, int, int> DeviceGetAttribute = (delegate* unmanaged<int*, int, int, int>)Export(library, "cuDeviceGetAttribute");
    public readonly delegate* unmanaged<nint*, int, int> DevicePrimaryCtxRetain = (delegate* unmanaged<nint*, int, int>)Export(library, "cuDevicePrimaryCtxRetain");
    public readonly delegate* unmanaged<int, int> DevicePrimaryCtxRelease = (delegate* unmanaged<int, int>)Export(library, "cuDevicePrimaryCtxRelease_v2");
    public readonly delegate* unmanaged<nint, int> CtxSetCurrent = (delegate* unmanaged<nint, int>)Export(library, "cuCtxSetCurrent");
    public readonly delegate* unmanaged<nuint*, nuint*, int> MemGetInfo = (delegate* unmanaged<nuint*, nuint*, int>)Export(library, "cuMemGetInfo_v2");
    public readonly delegate* unmanaged<nint*, byte*, int> ModuleLoadData = (delegate* unmanaged<nint*, byte*, int>)Export(library, "cuModuleLoadData");
    public readonly delegate* unmanaged<nint, int> ModuleUnload = (delegate* unmanaged<nint, int>)Export(library, "cuModuleUnload");
    public readonly delegate* unmanaged<nint*, nint, byte*, int> ModuleGetFunction = (delegate* unmanaged<nint*, nint, byte*, int>)Export(library, "cuModuleGetFunction");
    public readonly delegate* unmanaged<nint, uint, uint, uint, uint, uint, uint, uint, nint, void**, void**, int> LaunchKernel =
        (delegate* unmanaged<nint, uint, uint, uint, uint, uint, uint, uint, nint, void**, void**, int>)Export(library, "cuLaunchKernel");

    public readonly delegate* unmanaged<nint*, uint, int> EventCreate = (delegate* unmanaged<nint*, uint, int>)Export(library, "cuEventCreate");
    public readonly delegate* unmanaged<nint, nint, int> EventRecord = (delegate* unmanaged<nint, nint, int>)Export(library, "cuEventRecord");
    public readonly delegate* unmanaged<nint, int> EventQuery = (delegate* unmanaged<nint, int>)Export(library, "cuEventQuery");
    public readonly delegate* unmanaged<nint, int> EventSynchronize = (delegate* unmanaged<nint, int>)Export(library, "cuEventSynchronize");
    public readonly delegate* unmanaged<float*, nint, nint, int> EventElapsedTime = (delegate* unmanaged<float*, nint, nint, int>)Export(library, "cuEventElapsedTime");
    public readonly delegate* unmanaged<nint, int> EventDestroy = (delegate* unmanaged<nint, int>)Export(library, "cuEventDestroy_v2");

    public readonly delegate* unmanaged<nint, int, int> StreamBeginCapture = (delegate* unmanaged<nint, int, int>)Export(library, "cuStreamBeginCapture_v2");
    public readonly delegate* unmanaged<nint, nint*, int> StreamEndCapture = (delegate* unmanaged<nint, nint*, int>)Export(library, "cuStreamEndCapture");
    public readonly delegate* unmanaged<nint, nint, uint, int> StreamWaitEvent = (delegate* unmanaged<nint, nint, uint, int>)Export(library, "cuStreamWaitEvent");
    public readonly delegate* unmanaged<nint*, nint, ulong, int> GraphInstantiate = (delegate* unmanaged<nint*, nint, ulong, int>)Export(library, "cuGraphInstantiateWithFlags");
    public readonly delegate* unmanaged<nint, nint, int> GraphLaunch = (delegate* unmanaged<nint, nint, int>)Export(library, "cuGraphLaunch");
    public readonly delegate* unmanaged<nint, int> GraphDestroy = (delegate* unmanaged<nint, int>)Export(library, "cuGraphDestroy");
    public readonly delegate* unmanaged<nint, int> GraphExecutionDestroy = (delegate* unmanaged<nint, int>)Export(library, "cuGraphExecDestroy");

    private static nint Export(nint library, string name) => NativeLibrary.TryGetExport(library, name, out var address)
        ? address
        : throw new CudaException($"The NVIDIA driver is too old: it has no '{name}'. Update the driver, or use the CPU.");
}
