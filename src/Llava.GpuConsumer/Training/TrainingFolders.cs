using Llava.Ledger.Training;

namespace Llava.GpuConsumer.Training;

/// <summary>Where runs keep their files and where the models are that they make.</summary>
/// <param name="root">Folder of all of it.</param>
public sealed class TrainingFolders(string root)
{
    /// <summary>Where the models are; each in a folder of its name.</summary>
    public string Models { get; } = Path.Combine(Path.GetFullPath(root), "models");

    /// <summary>Folder of a run's own files.</summary>
    public string RunFolder(string run) => Path.Combine(Path.GetFullPath(root), "runs", run);

    /// <summary>Folder of a model and of the training checkpoints on the way to it.</summary>
    public string ModelFolder(string model) => Path.Combine(Models, model);

    /// <summary>Folder of a model that was trained here, or of one of its training checkpoints; null when there is none of that name.</summary>
    public string? Find(string model)
    {
        if (!model.StartsWith(TrainingRunRecord.ModelPrefix, StringComparison.Ordinal) || model.AsSpan().ContainsAny('/', '\\', '\0'))
        {
            return null;
        }

        var mark = model.IndexOf(TrainingCheckpointRecord.ModelMark, StringComparison.Ordinal);
        var folder = mark < 0 ? ModelFolder(model) : Path.Combine(ModelFolder(model[..mark]), "checkpoint-" + model[(mark + TrainingCheckpointRecord.ModelMark.Length)..]);
        return File.Exists(Path.Combine(folder, "config.json")) ? folder : null;
    }
}
