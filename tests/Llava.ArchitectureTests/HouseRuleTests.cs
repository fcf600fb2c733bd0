using System.Text.RegularExpressions;
using Llava.Testing;

namespace Llava.ArchitectureTests;

/// <summary>Rules that a reader can check line by line, checked for him.</summary>
public sealed partial class HouseRuleTests
{
    [Fact]
    public void No_source_file_is_longer_than_400_lines() => Assert.All(
        SourceFiles.Below(SourceFiles.Folder).Concat(SourceFiles.Below(Path.Combine(Repository.Root, "tests"))),
        file => Assert.True(File.ReadLines(file).Count() <= 400, $"{SourceFiles.Relative(file)} has {File.ReadLines(file).Count()} lines."));

    [Fact]
    public void Tensors_appear_in_the_model_core_only() => Assert.Empty(Outside("Llava.ModelCore", Tensors()));

    [Fact]
    public void The_model_core_reads_no_configuration_and_no_environment_but_its_libtorch_and_cache_folders() => Assert.Empty(
        SourceFiles.Below(Path.Combine(SourceFiles.Folder, "Llava.ModelCore"))
            .Where(f => !f.EndsWith("TorchLibrary.cs", StringComparison.Ordinal) && !f.EndsWith("UserCache.cs", StringComparison.Ordinal))
            .Where(f => Configuration().IsMatch(File.ReadAllText(f))).Select(SourceFiles.Relative));

    [Fact]
    public void Only_the_command_line_writes_to_the_console() => Assert.Empty(Outside("Llava.Cli", Console()));

    // A training run is synchronous on a thread of its own, which may wait for the batch that is made ahead.
    [Fact]
    public void Nothing_but_a_training_thread_blocks_on_a_task_and_nothing_sleeps() => Assert.Empty(
        SourceFiles.Below(SourceFiles.Folder).Where(f => (f.Contains("/Training/", StringComparison.Ordinal) ? Sleeping() : Blocking()).IsMatch(File.ReadAllText(f))).Select(SourceFiles.Relative));

    // A device that is asked for a number stands still until the answer has been looked at.
    [Fact]
    public void What_trains_reads_numbers_of_a_device_in_one_place_only() => Assert.Empty(
        ((string[])["Models", "Adapters", "Quantization", "Training", "Training/Optimizers"])
            .SelectMany(room => Directory.EnumerateFiles(Path.Combine(SourceFiles.Folder, "Llava.ModelCore", room), "*.cs"))
            .Where(f => Reading().IsMatch(File.ReadAllText(f))).Select(SourceFiles.Relative));

    [Fact]
    public void No_file_says_that_work_is_unfinished() => Assert.Empty(
        SourceFiles.Below(SourceFiles.Folder).Where(f => Unfinished().IsMatch(File.ReadAllText(f))).Select(SourceFiles.Relative));

    // A form that names its action gets no antiforgery token by itself, and is refused when it is sent.
    [Fact]
    public void Every_form_that_names_its_action_asks_for_its_token() => Assert.Empty(
        Directory.EnumerateFiles(SourceFiles.Folder, "*.cshtml", SearchOption.AllDirectories).Where(f => UnguardedForm().IsMatch(File.ReadAllText(f))).Select(SourceFiles.Relative));

    private static IEnumerable<string> Outside(string project, Regex words) => Directory.EnumerateDirectories(SourceFiles.Folder)
        .Where(folder => Path.GetFileName(folder) != project)
        .SelectMany(SourceFiles.Below)
        .Where(f => words.IsMatch(File.ReadAllText(f)))
        .Select(SourceFiles.Relative);

    [GeneratedRegex(@"\btorch\.|using TorchSharp")]
    private static partial Regex Tensors();

    [GeneratedRegex(@"<form(?=[^>]*method=""post"")(?=[^>]*\baction=)(?![^>]*asp-antiforgery=""true"")")]
    private static partial Regex UnguardedForm();

    [GeneratedRegex(@"Environment\.GetEnvironmentVariable|IConfiguration\b")]
    private static partial Regex Configuration();

    [GeneratedRegex(@"\.item<|\.data<|\.cpu\(|\.ToSingle\(|\.to\(CPU\b")]
    private static partial Regex Reading();

    [GeneratedRegex(@"\bConsole\.")]
    private static partial Regex Console();

    [GeneratedRegex(@"Thread\.Sleep|GC\.Collect\(")]
    private static partial Regex Sleeping();

    [GeneratedRegex(@"Thread\.Sleep|\.GetAwaiter\(\)\.GetResult\(\)|GC\.Collect\(")]
    private static partial Regex Blocking();

    [GeneratedRegex(@"\bTODO\b|\bFIXME\b|\bHACK\b|NotImplementedException")]
    private static partial Regex Unfinished();
}
