using System.Text.RegularExpressions;
using Llava.ModelCore.Kernels.Cuda;
using Llava.ModelCore.Native.Cuda;

namespace Llava.ModelCore.Tests.Kernels.Cuda;

/// <summary>What clang makes of the kernels without a toolkit.</summary>
public sealed partial class DeviceCodeTests
{
    [Fact]
    public void Every_kernel_compiles_to_device_code_without_a_toolkit_and_is_emulated()
    {
        using TemporaryFolder folder = new();
        CompilerRun.Of(
            "clang-19", folder.Path,
            ["-x", "cuda", "--cuda-device-only", "-nocudalib", "-nocudainc", "--cuda-gpu-arch=sm_80", "--cuda-gpu-arch=sm_90", "-Xclang", "-target-feature", "-Xclang", "+ptx78", "-std=c++17", "-O3", "-Wall", "-Werror", "-S", .. KernelFolder.Kernels]);
        using EmulatedDevice device = new();
        using CudaModule module = new(device.Driver, [0], "all");
        foreach (var source in KernelFolder.Kernels)
        {
            foreach (var architecture in (string[])["sm_80", "sm_90"])
            {
                var code = File.ReadAllText(folder.File($"{Path.GetFileNameWithoutExtension(source)}-cuda-nvptx64-nvidia-cuda-{architecture}.s"));
                var entries = Entry().Matches(code).Select(entry => entry.Groups[1].Value).ToArray();
                Assert.Contains($".target {architecture}", code, StringComparison.Ordinal);
                Assert.NotEmpty(entries);
                Assert.All(entries, entry => _ = module[entry]);
                // Arrays whose places are not known when it is compiled go to memory of their own, a hundred times slower than registers.
                Assert.DoesNotContain(".local", code, StringComparison.Ordinal);
                Assert.DoesNotContain(".extern", code, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void The_assembly_brings_every_source_and_header()
    {
        Assert.Equal(KernelFolder.Kernels.Select(file => Path.GetFileNameWithoutExtension(file)!).Order(), KernelSources.Kernels.Keys.Order());
        Assert.All(KernelSources.Kernels, kernel => Assert.Equal(File.ReadAllText(Path.Combine(KernelFolder.Sources, kernel.Key + ".cu")), kernel.Value));
        Assert.All(KernelSources.Headers, header => Assert.Equal(File.ReadAllText(Path.Combine(KernelFolder.Sources, header.Key)), header.Value));
    }

    [GeneratedRegex(@"\.entry (\w+)\(")]
    private static partial Regex Entry();
}
