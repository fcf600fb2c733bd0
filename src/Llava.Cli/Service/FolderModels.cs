using System.Collections.Concurrent;
using System.Globalization;
using Llava.Dashboard.Models;
using Llava.ModelCore;
using Llava.ModelCore.Checkpoints;

namespace Llava.Cli.Service;

/// <summary>The models folder as the pages show it: read by headers alone, and again only where a configuration changed.</summary>
internal sealed class FolderModels : IModelFolder
{
    private const string Config = "config.json";

    private readonly ConcurrentDictionary<(string Folder, DateTime ChangedAt), FolderModel> _read = [];

    /// <inheritdoc/>
    public IReadOnlyList<FolderModel> List() => ModelFolders.Root is { } root && Directory.Exists(root)
        ? [.. Directory.EnumerateDirectories(root).Where(folder => File.Exists(Path.Combine(folder, Config))).Order(StringComparer.Ordinal)
            .Select(folder => _read.GetOrAdd((folder, File.GetLastWriteTimeUtc(Path.Combine(folder, Config))), Read))]
        : [];

    /// <inheritdoc/>
    public int? ImageTokensOf(string model) => List().FirstOrDefault(found => found.Name == model)?.ImageTokens;

    private static FolderModel Read((string Folder, DateTime ChangedAt) model)
    {
        FolderModel read = new(Path.GetFileName(model.Folder), SizeOf(model.Folder), model.ChangedAt, []);
        try
        {
            using var checkpoint = CheckpointFolder.Open(model.Folder);
            return read with { Parts = [.. Describe(checkpoint)], ImageTokens = checkpoint.Config.Vision?.Features };
        }
        catch (Exception failure) when (failure is LlavaException or IOException or UnauthorizedAccessException)
        {
            return read with { Problem = failure.Message };
        }
    }

    private static IEnumerable<(string Part, string Description)> Describe(CheckpointFolder checkpoint)
    {
        var language = checkpoint.Config.LanguageModel;
        yield return ("Language model", Words($"{language.Layers} layers, hidden {language.HiddenSize}, {language.Heads} heads, {language.VocabularySize} words, context {checkpoint.ContextLength}"));
        if (checkpoint.Config.Vision is { } vision)
        {
            yield return ("Vision tower", Words($"{vision.ImageSize} × {vision.ImageSize} pixels in patches of {vision.PatchSize}, {vision.Layers} layers, hidden {vision.HiddenSize}"));
        }

        if (checkpoint.ConversationTemplate is { } template)
        {
            yield return ("Template", template);
        }

        yield return ("Stored as", checkpoint.StorageType.ToString());
    }

    private static long SizeOf(string folder) => new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length);

    private static string Words(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
