using Llava.ModelCore.Native;
using TorchSharp;
Console.WriteLine(TorchLibrary.EnsureLoaded());
Console.WriteLine(torch.ones(2, 3).sum().item<float>());
