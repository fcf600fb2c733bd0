using System.Text;
using Llava.ModelCore.Engine.Cuda;
using Llava.ModelCore.Kernels.Cuda;
using Llava.ModelCore.Native.Cuda;
using Llava.ModelCore.Tests.Kernels.Cuda;
using static TorchSharp.torch;

namespace Llava.ModelCore.Tests.Engine.Cuda;

/// <summary>
/// A session on the device that the processor plays: torch's tensors lie in its memory, because that is the process's. Its driver would record our kernels, but not libtorch's products on the processor, so
/// that what is recorded here is what is done.
/// </summary>
internal static class EmulatedSession
{
    public static CudaSession Open(int ordinal = 0) => Open(ordinal, work => new Repeated(work));

    /// <summary>A session that records in a way of its own.</summary>
    public static CudaSession Open(int ordinal, Func<Action, ICapturedWork> record)
    {
        var driver = CudaDriver.Open(EmulatedDevice.Library);
        return new CudaSession(CPU, new CudaDevice(driver, ordinal), new DeviceKernels(driver, (_, source) => [.. Encoding.UTF8.GetBytes(source), 0]), record);
    }

    /// <summary>Does at every launch what was recorded.</summary>
    public sealed class Repeated(Action work) : ICapturedWork
    {
        public void Launch(nint stream) => work();

        public void Dispose()
        {
        }
    }
}
