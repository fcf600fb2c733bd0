using System.Globalization;

namespace Llava.Hosting.Processes;

/// <summary>Memory that this process may still take: what the machine has, or less where its control group says so.</summary>
public static class AvailableMemory
{
    /// <summary>Bytes that are free now; <see cref="long.MaxValue"/> where nothing says how many.</summary>
    /// <param name="root">Folder below which <c>/proc</c> and <c>/sys</c> lie.</param>
    public static long Read(string root = "/") => Math.Min(OfMachine(root), GroupsOf(root).Select(Left).DefaultIfEmpty(long.MaxValue).Min());

    /// <summary>See proc(5): <c>MemAvailable</c> counts caches that can be dropped as free.</summary>
    private static long OfMachine(string root) => Field(Path.Combine(root, "proc/meminfo"), "MemAvailable:") is { } kilobytes ? kilobytes * 1024 : long.MaxValue;

    /// <summary>The process's group and those around it; in a container the outermost is its own. Version 2 has one tree, version 1 one for memory.</summary>
    private static IEnumerable<string> GroupsOf(string root)
    {
        var mounted = Path.Combine(root, "sys/fs/cgroup");
        foreach (var line in Lines(Path.Combine(root, "proc/self/cgroup")).Select(line => line.Split(':', 3)))
        {
            var tree = line is ["0", "", _] ? mounted : line is [_, "memory", _] ? Path.Combine(mounted, "memory") : null;
            for (var group = line[^1].Trim('/'); tree is not null; group = Path.GetDirectoryName(group) ?? "")
            {
                yield return Path.Combine(tree, group);
                if (group.Length == 0)
                {
                    break;
                }
            }
        }
    }

    /// <summary>The group's limit without what it uses; file pages that nothing maps are dropped when memory is short.</summary>
    private static long Left(string group)
    {
        var limit = Number(Path.Combine(group, "memory.max")) ?? Number(Path.Combine(group, "memory.limit_in_bytes"));
        var used = Number(Path.Combine(group, "memory.current")) ?? Number(Path.Combine(group, "memory.usage_in_bytes"));
        var stat = Path.Combine(group, "memory.stat");
        return limit is null || used is null ? long.MaxValue : Math.Max(0, limit.Value - used.Value + (Field(stat, "total_inactive_file") ?? Field(stat, "inactive_file") ?? 0));
    }

    private static long? Field(string file, string name) => Lines(file)
        .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        .Where(words => words.Length > 1 && words[0] == name)
        .Select(words => Parse(words[1]))
        .FirstOrDefault();

    private static long? Number(string file) => Lines(file).Select(Parse).FirstOrDefault();

    /// <summary>A group without a limit says <c>max</c>.</summary>
    private static long? Parse(string text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static string[] Lines(string file)
    {
        try
        {
            return File.ReadAllLines(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
