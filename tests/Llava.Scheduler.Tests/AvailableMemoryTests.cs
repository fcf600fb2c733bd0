using Llava.Hosting.Processes;

namespace Llava.Scheduler.Tests;

public sealed class AvailableMemoryTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("llava-memory-");

    public AvailableMemoryTests() => Write("proc/meminfo", "MemTotal: 1000 kB\nMemAvailable:    800 kB\n");

    public void Dispose() => _root.Delete(recursive: true);

    [Fact]
    public void Without_a_group_it_is_what_the_machine_has() => Assert.Equal(800 * 1024, AvailableMemory.Read(_root.FullName));

    [Fact]
    public void The_groups_limit_counts_without_what_is_used_and_cannot_be_dropped()
    {
        Write("proc/self/cgroup", "0::/\n");
        Write("sys/fs/cgroup/memory.max", "500000\n");
        Write("sys/fs/cgroup/memory.current", "300000\n");
        Write("sys/fs/cgroup/memory.stat", "anon 200000\ninactive_file 40000\n");

        Assert.Equal(240_000, AvailableMemory.Read(_root.FullName));
    }

    [Fact]
    public void A_group_without_a_limit_counts_as_the_one_around_it_says()
    {
        Write("proc/self/cgroup", "0::/service/consumer\n");
        Write("sys/fs/cgroup/service/consumer/memory.max", "max\n");
        Write("sys/fs/cgroup/service/consumer/memory.current", "1\n");
        Write("sys/fs/cgroup/service/memory.max", "400000\n");
        Write("sys/fs/cgroup/service/memory.current", "100000\n");

        Assert.Equal(300_000, AvailableMemory.Read(_root.FullName));
    }

    [Fact]
    public void The_first_version_of_groups_is_read_too()
    {
        Write("proc/self/cgroup", "5:cpu:/x\n4:memory:/docker/abc\n0::/\n");
        Write("sys/fs/cgroup/memory/memory.limit_in_bytes", "600000\n");
        Write("sys/fs/cgroup/memory/memory.usage_in_bytes", "100000\n");
        Write("sys/fs/cgroup/memory/memory.stat", "inactive_file 1\ntotal_inactive_file 50000\n");

        Assert.Equal(550_000, AvailableMemory.Read(_root.FullName));
    }

    [Fact]
    public void This_machine_has_some() => Assert.InRange(AvailableMemory.Read(), 1 << 20, long.MaxValue);

    private void Write(string path, string text)
    {
        var file = Path.Combine(_root.FullName, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }
}
