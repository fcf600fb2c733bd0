using Llava.ModelCore.Native;
using Llava.ModelCore.Native.Cuda;

namespace Llava.ModelCore.Training;

/// <summary>The CUDA devices that a recipe names, looked at before anything is loaded.</summary>
internal static class TrainingDevices
{
    /// <summary>What libtorch and the libraries under it keep for themselves: an estimate.</summary>
    private const long LibraryBytes = 1L << 30;

    /// <summary>Of what is free, one part in so many is lost between tensors: an estimate.</summary>
    private const long Fragments = 20;

    /// <summary>Bytes that a run may take on its devices together; null where it is computed on the CPU.</summary>
    /// <exception cref="CudaException">There is no driver or no such device, or it is too old; the message says what to do.</exception>
    /// <exception cref="TorchLibraryException">libtorch cannot use the device.</exception>
    public static long? FreeBytes(TrainingRecipe recipe) => FreeBytes(recipe, ordinal => UsableDevice.Open(ordinal, CudaDriver.Library, TorchLibrary.EnsureLoaded()));

    /// <summary>The same with another way to open a device.</summary>
    internal static long? FreeBytes(TrainingRecipe recipe, Func<int, CudaDevice> open)
    {
        List<int> ordinals = [.. (recipe.LayerDevices ?? [recipe.Device]).Select(DeviceName.OrdinalOf).OfType<int>().Distinct()];
        return ordinals.Count == 0 ? null : ordinals.Sum(ordinal => FreeBytes(ordinal, open));
    }

    private static long FreeBytes(int ordinal, Func<int, CudaDevice> open)
    {
        using var device = open(ordinal);
        device.Activate();
        var free = device.Memory().Free - LibraryBytes;
        return Math.Max(0, free - (free / Fragments));
    }
}
