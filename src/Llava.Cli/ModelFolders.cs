using Llava.Cli.Embedded;

namespace Llava.Cli;

/// <summary>Finds a model by path, by name in the models folder that stands above the program, or by the name it was given when it was trained here.</summary>
internal static class ModelFolders
{
    private const string Variable = "LLAVA_MODELS";

    /// <summary>The folder with the models that ship, or the one named by LLAVA_MODELS; null when there is none.</summary>
    public static string? Root { get; } = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named ? Path.GetFullPath(named) : Above();

    /// <summary>Full path of a model.</summary>
    /// <param name="model">Path or name.</param>
    /// <param name="dataFolder">Where models that were trained here are.</param>
    /// <exception cref="UsageException">Neither a folder nor a known name.</exception>
    public static string Resolve(string model, string dataFolder)
    {
        if (Directory.Exists(model))
        {
            return Path.TrimEndingDirectorySeparator(Path.GetFullPath(model));
        }

        if (TrainedModelsFolder.Find(model, dataFolder) is { } trained)
        {
            return trained;
        }

        var known = Root is not null && Directory.Exists(Root) ? Directory.EnumerateDirectories(Root).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal).ToList() : [];
        return known.Contains(model)
            ? Path.Combine(Root!, model)
            : throw new UsageException($"There is no model '{model}': it is neither a folder nor one of {(known.Count > 0 ? string.Join(", ", known) : "the models folder, which is empty or missing")}. Give the folder of a checkpoint.");
    }

    /// <inheritdoc cref="Resolve(string, string)"/>
    public static string Resolve(string model) => Resolve(model, DataFolder.Resolve(null));

    /// <summary>How jobs name a model: one of the models folder, or one that was trained here, by its name, the same on every machine, any other by its full path.</summary>
    /// <exception cref="UsageException">Neither a folder nor a known name.</exception>
    public static string NameForJobs(string model, string dataFolder)
    {
        if (TrainedModelsFolder.Find(model, dataFolder) is not null)
        {
            return model;
        }

        var folder = Resolve(model, dataFolder);
        return Root is not null && Path.GetDirectoryName(folder) == Path.TrimEndingDirectorySeparator(Root) ? Path.GetFileName(folder) : folder;
    }

    /// <inheritdoc cref="NameForJobs(string, string)"/>
    public static string NameForJobs(string model) => NameForJobs(model, DataFolder.Resolve(null));

    /// <summary>What results call the model: its folder's name, which says nothing about this machine.</summary>
    public static string NameOf(string model) => Path.GetFileName(Path.TrimEndingDirectorySeparator(model));

    private static string? Above()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var models = Path.Combine(folder.FullName, "models");
            if (Directory.Exists(models))
            {
                return models;
            }
        }

        return null;
    }
}
