using System.Text;
using Llava.ModelCore.Engine.Cuda;
using Llava.ModelCore.Kernels.Cuda;
using Llava.ModelCore.Native.Cuda;
using Llava.ModelCore.Tests.Kernels.Cuda;
using static TorchSharp.torch;

namespace Llava.ModelCore.Tests.Engine.Cuda;

/// <summary>A session on the device that the processor plays: torch's tensors lie in its memory, because that is the process's.</summary>
internal static class EmulatedSession
{
    public static CudaSession Open(int ordinal = 0)
    {
        var driver = CudaDriver.Open(EmulatedDevice.Library);
        return new CudaSession(CPU, new CudaDevice(driver, ordinal), new DeviceKernels(driver, (_, source) => [.. Encoding.UTF8.GetBytes(source), 0]));
    }
}
