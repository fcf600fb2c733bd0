namespace Llava.GpuConsumer.Training;

/// <summary>Where runs keep their files and where the models are that they make.</summary>
/// <param name="root">Folder of all of it.</param>
public sealed class TrainingFolders(string root)
{
    private const string Prefix = "ft:";
    private const string CheckpointMark = ":ckpt-step-";

    /// <summary>Where the models are; each in a folder of its name.</summary>
    public string Models { get; } = Path.Combine(Path.GetFullPath(root), "models");

    /// <summary>Folder of a run's own files.</summary>
    public string RunFolder(string run) => Path.Combine(Path.GetFullPath(root), "runs", run);

    /// <summary>Folder of a model and of the training checkpoints on the way to it.</summary>
    public string ModelFolder(string model) => Path.Combine(Models, model);

    /// <summary>Folder of a model that was trained here, or of one of its training checkpoints; null when there is none of that name.</summary>
    public string? Find(string model)
    {
        if (!model.StartsWith(Prefix, StringComparison.Ordinal) || model.AsSpan().ContainsAny('/', '\\', '\0'))
        {
            return null;
        }

        var mark = model.IndexOf(CheckpointMark, StringComparison.Ordinal);
        var folder = mark < 0 ? ModelFolder(model) : Path.Combine(ModelFolder(model[..mark]), "checkpoint-" + model[(mark + CheckpointMark.Length)..]);
        return File.Exists(Path.Combine(folder, "config.json")) ? folder : null;
    }
}
