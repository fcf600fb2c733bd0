using Llava.Testing;

namespace Llava.ModelCore.Tests.Kernels.Cuda;

/// <summary>Where the kernels' sources lie.</summary>
internal static class KernelFolder
{
    public static string Sources => Path.Combine(Repository.Root, "src", "Llava.ModelCore", "Kernels", "Cuda", "Sources");

    public static string Emulation => Path.Combine(Repository.Root, "tests", "Llava.ModelCore.Tests", "Kernels", "Cuda", "Emulation");

    public static string[] Kernels => Directory.GetFiles(Sources, "*.cu");
}
