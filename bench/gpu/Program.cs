using System.CommandLine;
using System.Text.Json.Nodes;
using Llava.Benchmarks.Gpu;
using Llava.Benchmarks.Gpu.Report;
using Llava.ModelCore;
using Llava.ModelCore.Engine.Cuda;
using Llava.ModelCore.Native;
using Llava.ModelCore.Native.Cuda;
using TorchSharp;
using static TorchSharp.torch;

var output = new Option<FileInfo>("--out") { Description = "File of the lines; appended to.", DefaultValueFactory = _ => new("bench.jsonl") };
var deviceName = new Option<string>("--device") { Description = "cuda:N, or cpu for a try without figures.", DefaultValueFactory = _ => "cuda:0" };
var isTiny = new Option<bool>("--tiny") { Description = "Everything very small: tries the benchmark itself." };
var python = new Option<string?>("--python") { Description = "Python with PyTorch and transformers, for the baseline; left out without." };
var names = new Option<string[]>("--parts") { Description = "These parts alone, in their order.", AllowMultipleArgumentsPerToken = true };
names.AcceptOnlyFromAmong([.. BenchRun.Parts.Select(part => part.Name)]);
var run = new Command("run", "Measures, part by part, and prints a table.") { output, deviceName, isTiny, python, names };
run.SetAction(typed =>
{
    var ordinal = DeviceName.OrdinalOf(typed.GetValue(deviceName));
    try
    {
        TorchLibrary.EnsureLoaded();
        using var found = ordinal is { } first ? CudaSession.Open(first) : null;
    }
    catch (LlavaException e)
    {
        Console.Error.WriteLine(e.Message);
        return 3;
    }

    BenchSettings settings = new()
    {
        Open = ordinal is { } chosen ? () => CudaSession.Open(chosen) : null,
        Device = ordinal is { } index ? new Device(DeviceType.CUDA, index) : CPU,
        Sizes = typed.GetValue(isTiny) ? BenchSizes.Tiny : BenchSizes.Full,
        Python = typed.GetValue(python),
    };
    BenchLines lines = new(typed.GetValue(output)!.FullName);
    var isWhole = BenchRun.Run(settings, lines, Console.Error, typed.GetValue(names) is { Length: > 0 } named ? [.. BenchRun.Parts.Where(part => named.Contains(part.Name))] : null);
    Console.Write(BenchTable.Of(lines.Written));
    return isWhole ? 0 : 1;
});

var results = new Argument<FileInfo>("lines") { Description = "Lines of a run." };
var plot = new Option<FileInfo?>("--plot") { Description = "Draws images a second as SVG into this file." };
var report = new Command("report", "Makes a table and a plot of a run.") { results, plot };
report.SetAction(typed =>
{
    List<JsonNode> lines = [.. File.ReadLines(typed.GetValue(results)!.FullName).Select(line => JsonNode.Parse(line)!)];
    Console.Write(BenchTable.Of(lines));
    if (typed.GetValue(plot) is { } file)
    {
        File.WriteAllText(file.FullName, BenchPlot.Svg(lines));
    }
});

return new RootCommand("The CUDA runner on a GPU: correctness, rooflines, a baseline and our engine stage by stage.") { run, report }.Parse(args).Invoke();
