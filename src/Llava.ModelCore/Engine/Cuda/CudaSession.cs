using Llava.ModelCore.Kernels.Cuda;
using Llava.ModelCore.Native;
using Llava.ModelCore.Native.Cuda;
using Llava.ModelCore.Native.Shim;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Engine.Cuda;

/// <summary>One device as torch and as the driver know it, with our kernels on it.</summary>
/// <param name="device">Where torch's tensors lie.</param>
/// <param name="cuda">The same device in the driver's eyes; disposed with the session.</param>
/// <param name="kernels">Its kernels; disposed with the session.</param>
/// <param name="record">Records work that goes into the session's stream; null has the driver do it.</param>
internal sealed class CudaSession(Device device, CudaDevice cuda, DeviceKernels kernels, Func<Action, ICapturedWork>? record = null) : IDisposable
{
    private nint _stream;

    public Device Device { get; } = device;

    public string Name => cuda.Name;

    public ComputeCapability Capability => cuda.Capability;

    public CudaDriver Driver => cuda.Driver;

    public DeviceKernels Kernels { get; } = kernels;

    /// <summary>Whether torch computes on CUDA too; in tests the kernels' device is played by the processor.</summary>
    public bool IsCuda => Device.type == DeviceType.CUDA;

    /// <summary>Finds out, in the order in which things can be put right, whether a device can be used, and opens it.</summary>
    /// <param name="ordinal">Which device.</param>
    /// <exception cref="CudaException">There is no driver, no such device, or it is too old; the message says what to do.</exception>
    /// <exception cref="TorchLibraryException">libtorch is for the CPU or has no stable interface for CUDA.</exception>
    public static CudaSession Open(int ordinal) => Open(ordinal, CudaDriver.Library, TorchLibrary.EnsureLoaded());

    /// <summary>Opens it by a particular driver and libtorch.</summary>
    internal static CudaSession Open(int ordinal, string driverLibrary, TorchLibraryReport torch)
    {
        var cuda = UsableDevice.Open(ordinal, driverLibrary, torch);
        try
        {
            var compiler = Nvrtc.Open(NvrtcFiles.Candidates(torch.Folder));
            if (cuda.Driver.Lacks(compiler.Version) is { } finding)
            {
                throw new CudaException(finding);
            }

            KernelCompiler kernels = new(compiler, cuda.Capability);
            return new CudaSession(new Device(DeviceType.CUDA, ordinal), cuda, new DeviceKernels(cuda.Driver, (name, source) => kernels.Compile(name, source, KernelSources.Headers)));
        }
        catch
        {
            cuda.Dispose();
            throw;
        }
    }

    /// <summary>Makes the device the calling thread's, and its stream the one that torch uses there. Every call of the runner begins with it.</summary>
    public void Enter() => Enter(_stream);

    /// <summary>The same with another stream; 0 leaves torch's as it is.</summary>
    public void Enter(nint stream)
    {
        cuda.Activate();
        if (IsCuda && stream != 0)
        {
            StableShim.UseCudaStream(Device.index, stream);
        }

        Kernels.Stream = IsCuda ? StableShim.CurrentCudaStream(Device.index) : stream;
    }

    /// <summary>Has all work go into a stream that is the session's alone, because of the default one nothing can be recorded. What was begun elsewhere is done by then.</summary>
    /// <exception cref="TorchLibraryException">This libtorch gives none.</exception>
    public void LeaveDefaultStream()
    {
        if (IsCuda && _stream == 0)
        {
            TorchSharp.torch.cuda.synchronize(Device);
            _stream = DeviceStreams.Take(Device.index);
            Enter();
        }
    }

    /// <summary>Records work, which is not done by that; it goes into the session's stream, waits for nothing and allocates nothing on the device.</summary>
    /// <exception cref="CudaException">It cannot be recorded.</exception>
    public ICapturedWork Record(Action work) => record is null ? CudaGraph.Capture(Driver, Kernels.Stream, work) : record(work);

    /// <summary>Bytes that are free on the device now.</summary>
    public long FreeBytes()
    {
        cuda.Activate();
        return cuda.Memory().Free;
    }

    /// <summary>Bytes that are not free, whoever has them.</summary>
    public long UsedBytes()
    {
        cuda.Activate();
        var (free, total) = cuda.Memory();
        return total - free;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        cuda.Activate();
        Kernels.Dispose();
        cuda.Dispose();
        if (_stream != 0)
        {
            DeviceStreams.Return(Device.index, _stream);
        }
    }
}
