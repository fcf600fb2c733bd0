using System.Globalization;

namespace Llava.ModelCore.Training;

/// <summary>
/// The training checkpoints of a run, <c>checkpoint-N</c> after optimizer step N. Each is written aside and renamed, so that a
/// folder of that name is always complete, whenever the process dies.
/// </summary>
internal sealed class TrainingFolder(string root)
{
    private const string Prefix = "checkpoint-";
    private const string Aside = ".incomplete";

    /// <summary>The output folder of the run.</summary>
    public string Root { get; } = root;

    /// <summary>Steps with a complete training checkpoint, oldest first.</summary>
    public IReadOnlyList<int> Steps => !Directory.Exists(Root) ? [] : [.. Directory.EnumerateDirectories(Root, Prefix + "*")
        .Select(folder => int.TryParse(Path.GetFileName(folder)[Prefix.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var step) ? step : -1)
        .Where(step => step >= 0).Order()];

    /// <summary>Folder of the training checkpoint after a step.</summary>
    public string At(int step) => Path.Combine(Root, $"{Prefix}{step}");

    /// <summary>
    /// Writes a training checkpoint and removes the oldest beyond the limit. One that is there already is kept: a run is
    /// deterministic, so it would be the same, and replacing it would leave a moment without any.
    /// </summary>
    /// <param name="step">Optimizer steps done.</param>
    /// <param name="limit">Training checkpoints kept; null keeps all.</param>
    /// <param name="write">Writes every file into the folder it is given.</param>
    /// <returns>The folder.</returns>
    public string Save(int step, int? limit, Action<string> write)
    {
        if (Steps.Contains(step))
        {
            return At(step);
        }

        RemoveIncomplete();
        var aside = At(step) + Aside;
        Directory.CreateDirectory(aside);
        write(aside);
        Directory.Move(aside, At(step));
        foreach (var old in Steps.SkipLast(limit ?? int.MaxValue))
        {
            Remove(At(old));
        }

        return At(step);
    }

    /// <summary>Writes the finished model into the output folder; the file of the state comes last and marks it complete.</summary>
    public void Finish(Action<string> write)
    {
        var aside = Path.Combine(Root, Prefix + "final" + Aside);
        RemoveIncomplete();
        Directory.CreateDirectory(aside);
        write(aside);
        foreach (var entry in Directory.EnumerateFileSystemEntries(aside).OrderBy(entry => Path.GetFileName(entry) == TrainingState.FileName))
        {
            var target = Path.Combine(Root, Path.GetFileName(entry));
            if (Directory.Exists(entry))
            {
                Remove(target);
                Directory.Move(entry, target);
            }
            else
            {
                File.Move(entry, target, overwrite: true);
            }
        }

        Directory.Delete(aside);
    }

    /// <summary>Removes what a process that died left half written or half removed.</summary>
    public void RemoveIncomplete()
    {
        if (Directory.Exists(Root))
        {
            foreach (var folder in Directory.EnumerateDirectories(Root, Prefix + "*" + Aside))
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    private void Remove(string folder)
    {
        if (Directory.Exists(folder))
        {
            // Renamed first: a folder that is half deleted must not look complete.
            var removed = Path.Combine(Root, Prefix + "removed" + Aside);
            Directory.Move(folder, removed);
            Directory.Delete(removed, recursive: true);
        }
    }
}
