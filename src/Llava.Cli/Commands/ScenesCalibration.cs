using System.CommandLine;
using System.Globalization;
using Llava.Cli.Jobs;
using Llava.ModelCore.Engine;
using Llava.ModelCore.Evaluation;

namespace Llava.Cli.Commands;

/// <summary><c>llava scenes calibrate</c>: whether a model is as often right as it says.</summary>
internal static class ScenesCalibration
{
    public static Command Create()
    {
        var model = new Option<string>("--model") { Description = "A model folder, or the name of one in the models folder.", DefaultValueFactory = _ => JobOptions.DefaultModel };
        var count = new Option<int>("--count") { Description = "Held-out questions that are measured; as many others choose the temperature.", DefaultValueFactory = _ => 2000 };
        var plot = new Option<FileInfo?>("--plot") { Description = "Gets the reliability diagram, as SVG." };
        var (objects, side) = (ScenesCommand.Objects(), ScenesCommand.Side());
        var command = new Command("calibrate", "Measure how far a model's confidence in scored choices can be believed.") { model, count, plot, objects, side };
        EngineArguments engine = new();
        engine.AddTo(command);
        command.SetAction((typed, cancellationToken) => Failures.ReportAsync(async () =>
        {
            var total = typed.GetValue(count);
            await using var loaded = ModelLoading.Load(ModelFolders.Resolve(typed.GetValue(model)!), engine.Options(typed));
            var measured = await AskAsync(loaded, firstScene: 0);
            // Scenes that are far from those that are measured: a temperature that saw its own examination would say nothing.
            var temperature = SceneCalibration.FitTemperature(await AskAsync(loaded, firstScene: 1_000_000));
            var curve = ReliabilityCurve.Of([.. measured.Select(question => (question.Confidence, question.IsRight))]);
            Report(curve, measured, temperature);
            if (typed.GetValue(plot) is { } file)
            {
                await File.WriteAllTextAsync(file.FullName, ReliabilityDiagram.Svg(curve, $"{loaded.Name}: scored choices on held-out scenes"), cancellationToken);
            }

            return ExitCodes.Ok;

            Task<IReadOnlyList<ScoredQuestion>> AskAsync(LoadedModel asked, long firstScene) =>
                SceneCalibration.AskAsync(asked, total, firstScene, typed.GetValue(objects), typed.GetValue(side), cancellationToken: cancellationToken);
        }));
        return command;
    }

    private static void Report(ReliabilityCurve curve, IReadOnlyList<ScoredQuestion> questions, double temperature)
    {
        Console.WriteLine("confidence    answers   mean confidence   right");
        foreach (var bin in curve.Bins)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{bin.From:0.0} to {bin.To:0.0} {bin.Answers,10} {bin.Confidence,17:0.000} {bin.Accuracy,7:0.000}"));
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{curve.Answers} questions, {100 * curve.Accuracy:0.0} % right"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"as the model is set         expected calibration error {100 * curve.ExpectedCalibrationError:0.00} %"));
        foreach (var (name, at) in new[] { ("without a choice_temperature", 1), ("choice_temperature", temperature) })
        {
            var scaled = ReliabilityCurve.Of([.. questions.Select(question => (question.ConfidenceAt(at), question.IsRight))]);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{name} {at:0.00}: expected calibration error {100 * scaled.ExpectedCalibrationError:0.00} %, loss {SceneCalibration.Loss(questions, at):0.0000}"));
        }
    }
}
