using Llava.ModelCore.Native.Shim;
using static TorchSharp.torch;

namespace Llava.ModelCore.Native.Cuda;

/// <summary>Opens devices that torch can compute on in bfloat16.</summary>
internal static class UsableDevice
{
    // bfloat16 begins with Ampere.
    private const int LeastCapability = 80;

    /// <summary>Finds out, in the order in which things can be put right, whether a device can be used, and opens it for the calling thread.</summary>
    /// <param name="ordinal">Which device.</param>
    /// <param name="driverLibrary">The driver's library.</param>
    /// <param name="torch">The libtorch that is loaded.</param>
    /// <exception cref="CudaException">There is no driver, no such device, or it is too old; the message says what to do.</exception>
    /// <exception cref="TorchLibraryException">libtorch is for the CPU, has no stable interface for CUDA, or does not see the device.</exception>
    public static CudaDevice Open(int ordinal, string driverLibrary, TorchLibraryReport torch)
    {
        var driver = CudaDriver.Open(driverLibrary);
        if (ordinal >= driver.DeviceCount)
        {
            throw new CudaException($"There is no device 'cuda:{ordinal}': the driver shows {driver.DeviceCount}. Name one from cuda:0 on, see whether CUDA_VISIBLE_DEVICES hides it, or use the CPU.");
        }

        CudaDevice device = new(driver, ordinal);
        try
        {
            device.Activate();
            RequireCapability(device);
            RequireTorch(device, ordinal, torch);
            return device;
        }
        catch
        {
            device.Dispose();
            throw;
        }
    }

    private static void RequireCapability(CudaDevice device)
    {
        if (device.Capability.Number < LeastCapability)
        {
            throw new CudaException($"'{device.Name}' has compute capability {device.Capability}, and bfloat16 needs 8.0 (Ampere) or later. Name another device, or use the CPU.");
        }
    }

    private static void RequireTorch(CudaDevice device, int ordinal, TorchLibraryReport library)
    {
        if (!library.Files.Any(file => Path.GetFileName(file) == "libtorch_cuda.so"))
        {
            throw new TorchLibraryException($"The libtorch in '{library.Folder}' is for the CPU. Set {TorchLibrary.FolderVariable} to the torch/lib folder of a PyTorch for CUDA, or use the CPU.");
        }

        _ = CudaShimFunctions.Own;
        if (!cuda.is_available() || cuda.device_count() <= ordinal)
        {
            throw new TorchLibraryException($"The libtorch in '{library.Folder}' cannot use '{device.Name}'. See whether its CUDA fits the driver ('llava doctor' has both), or use the CPU.");
        }
    }
}
