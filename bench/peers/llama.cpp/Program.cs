using System.CommandLine;
using Llava.Benchmarks.LlamaCpp.Cases;
using Llava.Benchmarks.LlamaCpp.Peer;
using Llava.Benchmarks.LlamaCpp.Plots;
using Llava.ModelCore.Evaluation.Speed;
using Llava.ModelCore.Native;

string[] groups = ["language", "vision", "captions", "questions"];
var libraries = new Argument<DirectoryInfo>("libraries") { Description = "Folder with llama.cpp's shared libraries; run.sh installs them." };
var plot = new Option<FileInfo>("--plot") { Description = "Measure nothing, but draw the lines of a run as SVG, to standard output." };
var shapes = new Option<string[]>("--shape") { Description = "Sizes of the language model.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => ["s160", "tinyllama"] };
shapes.AcceptOnlyFromAmong([.. BenchmarkShape.All.Keys]);
var chosen = new Option<string[]>("--cases") { Description = "What to measure.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => groups };
chosen.AcceptOnlyFromAmong(groups);
var rounds = new Option<int>("--rounds") { Description = "Rounds of a prompt, of which the median counts; steps of decoding get four times as many, captions and questions a third.", DefaultValueFactory = _ => 5 };
var threads = new Option<int>("--threads") { Description = "Threads of both sides.", DefaultValueFactory = _ => 2 };
var work = new Option<DirectoryInfo>("--work") { Description = "Folder for model files, which are deleted again: a gigabyte at most.", DefaultValueFactory = _ => new(Path.GetTempPath()) };

RootCommand command = new("Our CPU engine beside llama.cpp, in turn, as lines of JSON.") { libraries, shapes, chosen, rounds, threads, work, plot };
command.SetAction(typed =>
{
    if (typed.GetValue(plot) is { } lines)
    {
        Console.Write(RatioPlot.Svg(File.ReadLines(lines.FullName)));
        return;
    }

    LlamaLibraries.Load(typed.GetValue(libraries)!.FullName);
    TorchLibrary.EnsureLoaded();
    TorchSharp.torch.set_num_threads(typed.GetValue(threads));
    PeerSettings settings = new()
    {
        Shapes = typed.GetValue(shapes)!,
        Groups = typed.GetValue(chosen)!.ToHashSet(),
        Work = typed.GetValue(work)!.FullName,
        Threads = typed.GetValue(threads),
        Rounds = typed.GetValue(rounds),
    };
    var limits = MachineLimits.Measure(settings.Threads);
    using LlamaThreads pool = new(settings.Threads);
    PeerFigures figures = new(settings.Threads);
    if (settings.Groups.Contains("language"))
    {
        LanguageCases language = new(settings, figures, limits, pool);
        foreach (var shape in settings.Shapes)
        {
            language.Run(shape);
        }
    }

    if (settings.Groups.Count > 1 || !settings.Groups.Contains("language"))
    {
        using ImageCases images = new(settings, figures, limits, pool, settings.Shapes[^1]);
        if (settings.Groups.Contains("vision"))
        {
            images.RunVision();
        }

        images.RunAnswers();
    }
});
return command.Parse(args).Invoke();
