using System.CommandLine;
using System.Globalization;
using Llava.Cli.Jobs;
using Llava.ModelCore.Engine;
using Llava.ModelCore.Evaluation;
using Llava.ModelCore.Scenes;
using Llava.ModelCore.Training.Scenes;

namespace Llava.Cli.Commands;

/// <summary><c>llava scenes</c>: the drawn world that the shipped model is at home in: draw it, train on it, measure on it.</summary>
internal static class ScenesCommand
{
    private const int DefaultSide = 224;

    public static Command Create() => new("scenes", "Draw scenes, train the model that ships on them, and measure it.") { Draw(), Rows(), Train(), Evaluate(), ScenesCalibration.Create() };

    internal static Option<int> Objects(int? usual = null)
    {
        var objects = new Option<int>("--objects") { Description = "Most objects in a scene, 1 to 9.", DefaultValueFactory = _ => usual ?? new SceneRecipe().MaxObjects };
        objects.Validators.Add(typed =>
        {
            if (typed.GetValueOrDefault<int>() is < 1 or > 9)
            {
                typed.AddError("--objects must be from 1 to 9: a scene has nine places.");
            }
        });
        return objects;
    }

    internal static Option<int> Side() => new("--side") { Description = "Side of the images, in pixels.", DefaultValueFactory = _ => DefaultSide };

    private static Command Draw()
    {
        var folder = new Argument<DirectoryInfo>("folder") { Description = "Gets the images and questions.jsonl." };
        var count = new Option<int>("--count") { Description = "Scenes to draw.", DefaultValueFactory = _ => 100 };
        var (objects, side) = (Objects(), Side());
        var command = new Command("draw", "Draw held-out scenes, with questions and right answers.") { folder, count, objects, side };
        command.SetAction(typed => Failures.ReportAsync(() =>
        {
            SceneSamples.Write(typed.GetValue(folder)!.FullName, typed.GetValue(count), typed.GetValue(objects), typed.GetValue(side));
            return Task.FromResult(ExitCodes.Ok);
        }));
        return command;
    }

    private static Command Rows()
    {
        var folder = new Argument<DirectoryInfo>("folder") { Description = "Gets the images, rows.jsonl to learn from, and questions.jsonl to ask afterwards." };
        var rows = new Option<int>("--rows") { Description = "Rows to learn from.", DefaultValueFactory = _ => 2000 };
        var known = new Option<int>("--known") { Description = "Questions of known kinds beside the new ones in each row.", DefaultValueFactory = _ => 2 };
        var scenes = new Option<int>("--scenes") { Description = "Held-out scenes to ask about.", DefaultValueFactory = _ => 300 };
        var (objects, side) = (Objects(usual: 3), Side());
        var command = new Command("rows", "Draw scenes with a shape that the shipped model has never seen, and ask about it, to fine-tune it on.") { folder, rows, known, scenes, objects, side };
        command.SetAction(typed => Failures.ReportAsync(() =>
        {
            var target = typed.GetValue(folder)!.FullName;
            SceneRows.Write(target, typed.GetValue(rows), typed.GetValue(known), typed.GetValue(objects), typed.GetValue(side));
            SceneRows.WriteQuestions(target, typed.GetValue(scenes), typed.GetValue(objects), typed.GetValue(side));
            return Task.FromResult(ExitCodes.Ok);
        }));
        return command;
    }

    private static Command Train()
    {
        var recipe = new Argument<FileInfo>("recipe") { Description = "For example recipes/llava-scenes.json." };
        var work = new Option<DirectoryInfo>("--work") { Description = "Folder of the snapshots; a stopped run goes on from there.", Required = true };
        var output = new Option<DirectoryInfo>("--out", "-o") { Description = "Folder of the finished checkpoint; must hold no weights yet.", Required = true };
        var command = new Command("train", "Train the small LLaVA from random weights. Stopped, the same command continues.") { recipe, work, output };
        command.SetAction((typed, cancellationToken) => Failures.ReportAsync(async () =>
        {
            var settings = SceneRecipe.Load(typed.GetValue(recipe)!.FullName);
            var folder = typed.GetValue(work)!.FullName;
            await Task.Run(() => SceneTraining.Run(settings, folder, Report, cancellationToken), cancellationToken);
            SceneTraining.Export(settings, folder, typed.GetValue(output)!.FullName);
            return ExitCodes.Ok;
        }));
        return command;
    }

    private static Command Evaluate()
    {
        var model = new Option<string>("--model") { Description = "A model folder, or the name of one in the models folder.", DefaultValueFactory = _ => JobOptions.DefaultModel };
        var count = new Option<int>("--count") { Description = "Held-out scenes.", DefaultValueFactory = _ => 2000 };
        var (objects, side) = (Objects(), Side());
        var command = new Command("evaluate", "Measure a model on held-out scenes: exact match of greedy answers by kind of question.") { model, count, objects, side };
        EngineArguments engine = new();
        engine.AddTo(command);
        command.SetAction((typed, cancellationToken) => Failures.ReportAsync(async () =>
        {
            await using var loaded = ModelLoading.Load(ModelFolders.Resolve(typed.GetValue(model)!), engine.Options(typed));
            var total = typed.GetValue(count);
            var result = await SceneBenchmark.RunAsync(loaded, total, typed.GetValue(objects), typed.GetValue(side), Progress(total), cancellationToken);
            Write(result);
            return ExitCodes.Ok;
        }));
        return command;
    }

    private static Progress<int> Progress(int total) => new(done =>
    {
        if (done % 100 < 5)
        {
            Console.Error.WriteLine($"{done} of {total} scenes");
        }
    });

    private static void Write(SceneBenchmarkResult result)
    {
        foreach (var (kind, (right, asked)) in result.ByKind)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{kind,-16} {100.0 * right / asked,5:0.0} %   {right} of {asked}"));
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{"objects named",-16} {100 * result.CaptionRecall,5:0.0} %   in captions, with the right colour"));
    }

    private static void Report(SceneProgress progress)
    {
        var heldOut = progress.HeldOut is { } scores ? "  " + string.Join("  ", scores.Select(s => $"{s.Key} {s.Value:P1}")) : "";
        Console.Error.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{progress.Stage} {progress.Step}/{progress.Steps}  loss {progress.Loss:0.0000}  {progress.ImagesPerSecond:0.0} images/s  up to {progress.MaxObjects} objects{heldOut}"));
    }
}
